"""First packets between whole nodes: what waits for address, session and path arrives, in order, at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.worldkit import line_of
from ygg_c.base.sodium import SeededRandom
from ygg_c.link import wire

TRAFFIC = 9


@pytest.fixture
def line() -> Iterator[list[Any]]:
    """A line of three nodes with stacks at its ends: world, a, b. pytest holds on to the list, so it is emptied."""
    with line_of(1, 2, 3) as world:
        parts: list[Any] = [world, world.nodes[1].stack, world.nodes[3].stack]
        yield parts
        parts.clear()


@pytest.mark.parametrize("count", [1, 10, 200])
@pytest.mark.parametrize("silence", [0, 61, 200])
def test_simultaneous_first_dials(line: list[Any], count: int, silence: float) -> None:
    """All are established at once, the first time and after any silence: no SYN is sent twice."""
    world, a, b = line
    listener = b.listen(None, 80, 1024)
    if silence:
        first = a.connect(world.nodes[3].engine.address, 80)
        world.run(1)
        assert first.state == "ESTABLISHED"
        first.abort()
        world.run(silence)
        assert world.nodes[1].engine.sessions() == []
    dials = [a.connect(world.nodes[3].engine.address, 80) for _ in range(count)]
    world.run(0.5)
    assert [dial.state for dial in dials] == ["ESTABLISHED"] * count
    assert a.counters()["tcp_retransmits"] == 0
    listener.close()


@pytest.mark.parametrize("size", [8, 1200, 60000])
def test_ten_first_datagrams(line: list[Any], size: int) -> None:
    """All arrive, in the order in which they were sent."""
    world, a, b = line
    receiver, sender = b.udp(None, 9), a.udp(None, 0)
    for number in range(10):
        sender.send(bytes([number]) + bytes(size), world.nodes[3].engine.address, 9)
    world.run(0.5)
    assert [data[0] for data, _ in receiver.recv_many()] == list(range(10))


def test_idle_connections_speak_without_a_delay(line: list[Any]) -> None:
    """The session behind an open connection is there however long it was silent; without one it lapses."""
    world, a, b = line
    b.listen(None, 80, 16)
    dial = a.connect(world.nodes[3].engine.address, 80)
    world.run(400)
    assert len(world.nodes[1].engine.sessions()) == len(world.nodes[3].engine.sessions()) == 1
    opened = world.nodes[3].engine.counters()["session_opened"]
    dial.write(b"at once")
    world.run(0.1)
    assert world.nodes[3].engine.counters()["session_opened"] == opened == 1
    assert dial.queued == 0
    dial.abort()
    world.run(70)
    assert world.nodes[1].engine.sessions() == []


def test_connections_to_a_restarted_node_end(line: list[Any]) -> None:
    """A node that crashes and comes back has its peers' idle connections to its old self end, before any keepalive."""
    world, a, b = line
    b.listen(None, 80, 16)
    dial = a.connect(world.nodes[3].engine.address, 80)
    world.run(5)
    world.remove(3)
    world.run(2)
    world.add(3)
    world.join(2, 3)
    world.run(5)
    again = world.nodes[3].stack
    world.run(1)
    assert dial.state == "ESTABLISHED"
    echo = again.echo()
    echo.send(world.nodes[1].engine.address, 1, b"hello")
    world.run(3)
    assert dial.state == "CLOSED"


def test_sessions_recover_while_strangers_flood() -> None:
    """Traffic in invented names does not keep a node from our Init after our restart."""
    with line_of(2, 1, 3) as world:
        b = world.nodes[2].stack
        echo = b.echo()
        assert world.nodes[1].stack.endpoints() == []
        echo.send(world.nodes[1].engine.address, 0, b"x")
        world.run(2)
        assert len(echo.recv_many()) == 1
        world.remove(1)
        world.run(1)
        world.add(1)
        world.join(1, 2)
        world.join(1, 3)
        assert world.nodes[1].stack.endpoints() == []
        world.run(3)
        near = world.link_between(1, 3).at(1)
        names = SeededRandom("names")
        answered = False
        for second in range(5):
            echo.send(world.nodes[1].engine.address, 1 + second, b"x")
            for _ in range(10):
                for _ in range(100):
                    near.receive(wire.encode_frame(TRAFFIC, wire.encode(
                        TRAFFIC, path=world.nodes[1].engine.coords, **{"from": [1]}, source=names.bytes(32),
                        dest=world.nodes[1].key, watermark=2**64 - 1, payload=b"\3" + bytes(60))))
                world.run(0.1)
            answered |= bool(echo.recv_many())
        assert answered
        assert world.nodes[1].engine.counters()["session_stranger_limited"] > 1000


@pytest.mark.parametrize("count", [50, 200])
def test_many_clients_send_one_datagram_each_at_one_instant(count: int) -> None:
    """Behind one neighbour of the server: where lookups, answers and handshakes were refused, they are repeated."""
    clients = range(3, 3 + count)
    with line_of(1, 2) as world:
        for number in clients:
            world.add(number)
            world.join(2, number)
        world.run(15)
        b = world.nodes[1].stack
        server = b.udp(None, 9)
        stacks = [world.nodes[number].stack for number in clients]
        for number, stack in zip(clients, stacks, strict=True):
            stack.udp(None, 7).send(bytes([number]), world.nodes[1].engine.address, 9)
        world.run(0.5)
        arrived = [data[0] for data, _ in server.recv_many()]
        assert len(arrived) >= min(count, 120)
        world.run(4)
        arrived += [data[0] for data, _ in server.recv_many()]
        assert sorted(arrived) == list(clients)
