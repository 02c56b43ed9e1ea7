"""Nodes in virtual time: their tree, their traffic, links that end, and programs on them."""

import asyncio
import itertools
from pathlib import Path

import pytest

from ygg.simulation import Conditions, Trace, VirtualLoop, World, topology
from ygg.testing import in_order, public_key
from ygg_c.testing.routers import RouterTap

SLOW = Conditions(rate=1e6, delay=0.02)


def roots(world: World) -> set[bytes]:
    """Return the keys that the nodes take for the root."""
    return {node.engine.root for node in world.nodes.values()}


@pytest.mark.parametrize("edges", [
    topology.path_graph(6), topology.cycle_graph(7), topology.star_graph(8), topology.grid_2d_graph(3, 3),
    topology.barabasi_albert_graph(30, 2, seed=1),
], ids=["path", "cycle", "star", "grid", "scale-free"])
def test_nodes_find_one_tree(edges: list[topology.Edge]) -> None:
    with World(seed=1) as world:
        world.build(edges, Conditions(delay=0.01))
        world.run(20)
        assert roots(world) == {public_key(in_order(*world.nodes)[0])}
        assert len({tuple(node.engine.coords) for node in world.nodes.values()}) == len(world.nodes)


def test_parts_that_are_cut_apart_have_two_trees_and_then_one() -> None:
    with World(seed=1) as world:
        world.build(topology.path_graph(6), Conditions(delay=0.01))
        world.run(20)
        bridge = world.link_between(3, 2)
        bridge.cut()
        world.run(20)
        assert len(roots(world)) == 2
        assert bridge not in world.links
        world.join(2, 3)
        world.run(20)
        assert len(roots(world)) == 1


def test_a_link_is_found_by_its_nodes_while_it_is_up() -> None:
    with World(seed=1) as world:
        world.build([(1, 2), (2, 3)])
        first, second = world.link_between(1, 2), world.join(2, 1)
        assert [node.number for node in first.ends] == [1, 2]
        first.cut()
        assert world.link_between(1, 2) is second
        for a, b in ((1, 3), (1, 1), (1, 9)):
            with pytest.raises(KeyError):
                world.link_between(a, b)


def test_a_link_has_an_end_and_a_wire_for_each_of_its_nodes() -> None:
    with World(seed=1) as world:
        world.build([(1, 2)])
        link = world.link_between(2, 1)
        assert (link.at(1), link.at(2)) == link.links
        assert link.at(1).key == world.nodes[2].key
        assert (link.wire_from(1), link.wire_from(2)) == link.wires
        for find in (link.at, link.wire_from):
            with pytest.raises(KeyError):
                find(3)


def test_a_full_wire_takes_nothing_but_what_is_drained() -> None:
    with World(seed=1) as world:
        world.build([(1, 2)])
        world.run(5)
        wire, link = (world.link_between(1, 2).wire_from(1), world.link_between(1, 2).at(1))
        host = world.nodes[2].stack.udp(None, 9)
        socket = world.nodes[1].stack.udp(None, 0)
        socket.send(b"first", world.nodes[2].engine.address, 9)
        world.run(1)
        assert [data for data, _ in host.recv_many()] == [b"first"]
        wire.full = True
        socket.send(bytes(1000), world.nodes[2].engine.address, 9)
        world.run(1)
        assert host.recv_many() == []
        assert link.queued > 1000
        waits = link.queued
        assert wire.drain(100) + wire.drain(1 << 20) == waits
        world.run(1)
        assert [data for data, _ in host.recv_many()] == [bytes(1000)]
        assert wire.drain(100) == 0
        wire.full = False
        assert socket.send(bytes(500), world.nodes[2].engine.address, 9)
        world.run(1)
        assert [data for data, _ in host.recv_many()] == [bytes(500)]


def test_a_silent_link_is_found_out_by_time() -> None:
    with World(seed=1) as world:
        world.build([(1, 2)], Conditions(delay=0.01))
        world.run(10)
        (link,) = world.links
        link.silent = True
        assert not world.run(1, lambda: link.is_ending)
        assert world.run(3600, lambda: link.is_ending)
        assert not world.links


def test_a_link_that_one_end_closes_ends_at_the_other_a_delay_later() -> None:
    with World(seed=1) as world:
        link = world.join(world.add(1).number, world.add(2).number, Conditions(delay=0.5))
        world.run(5)
        link.links[0].close("enough")
        world.nodes[1].turn()
        assert world.run(10, lambda: link.links[1].closed)
        assert world.timeline.time == pytest.approx(6.5)
        assert link.links[1].error == "EOF"


def test_a_node_that_comes_back_is_another_with_the_same_key() -> None:
    with World(seed=1) as world:
        world.build(topology.path_graph(3), Conditions(delay=0.01))
        world.run(10)
        first = world.nodes[1].random("any").bytes(16)
        world.remove(1)
        assert [len(node.links) for node in world.nodes.values()] == [0, 0]
        world.run(5)
        again = world.add(1)
        assert again.random("any").bytes(16) != first
        for neighbour in (0, 2):
            world.join(1, neighbour)
        world.run(10)
        assert len(roots(world)) == 1
        with pytest.raises(ValueError, match="is there"):
            world.add(1)


def test_stacks_without_an_event_loop() -> None:
    with World(seed=1) as world:
        world.build(topology.path_graph(3), SLOW)
        world.run(20)
        here, there = world.nodes[0].stack, world.nodes[2].stack
        listener = there.listen(None, 80)
        client = here.connect(world.nodes[2].engine.address, 80)
        assert world.run(10, lambda: client.state == "ESTABLISHED")
        began = world.now
        client.send(bytes(100_000))
        accepted, got = [], bytearray()
        assert world.run(10, lambda: accepted.append(listener.accept()) or accepted[-1] is not None)
        server = accepted[-1]

        def read() -> bool:
            while server.readable:
                got.extend(server.recv(1 << 20))
            return len(got) == 100_000

        assert world.run(60, read)
        # 0.8 s at this rate, and what each hop adds
        assert 0.8 < (world.now - began) / 1e9 < 2


def life(seed: int, path: Path | None = None) -> tuple[str, float]:
    """Have two programs talk over four nodes; return the digest of all that was carried, and when it was over."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> tuple[str, float]:
        with World(seed) as world:
            world.trace = Trace()
            world.build(topology.path_graph(4), Conditions(rate=1e6, delay=0.02, jitter=0.005, loss=0.01))
            async with world.nodes[0].vtun() as client, world.nodes[3].vtun() as host:
                await asyncio.sleep(10)
                server = await host.start_server(serve, None, 7)
                reader, writer = await client.open_connection(str(world.nodes[3].address), 7)
                writer.write(b"hello\n")
                assert await reader.readline() == b"HELLO\n"
                writer.close()
                await writer.wait_closed()
                server.close()
            if path is not None:
                world.trace.write(path)
            return world.trace.digest(), world.timeline.time

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_programs_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first, second, other = life(1, tmp_path / "1"), life(1, tmp_path / "2"), life(2)
    assert first == second
    assert first[0] != other[0]
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert len((tmp_path / "1").read_text().splitlines()) > 50


def test_another_engine_may_be_made() -> None:
    with World(seed=1, make=RouterTap) as world:
        world.build(topology.cycle_graph(4), Conditions(delay=0.01))
        world.run(20)
        assert len(roots(world)) == 1


def test_a_thousand_nodes_fit_into_a_test() -> None:
    """They do not all agree yet, but the virtual time in which many meet has passed."""
    with World(seed=1) as world:
        world.build(topology.barabasi_albert_graph(1000, 1, seed=1), Conditions(delay=0.01))
        world.run(3)
        best = public_key(in_order(*world.nodes)[0])
        assert sum(node.engine.root == best for node in world.nodes.values()) > 900


def test_order_of_ends_does_not_matter_to_the_tree() -> None:
    coords = []
    for pairs in ([(0, 1), (1, 2)], [(1, 0), (2, 1)]):
        with World(seed=1) as world:
            for pair in pairs:
                for number in pair:
                    if number not in world.nodes:
                        world.add(number)
                world.join(*pair)
            world.run(10)
            coords.append({number: len(node.engine.coords) for number, node in world.nodes.items()})
    assert all(one == other for one, other in itertools.pairwise(coords))
