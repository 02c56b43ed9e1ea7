"""First packets between whole nodes: what waits for address, session and path arrives, in order, at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.mesh import Mesh, mesh_of
from ygg_c.base.sodium import SeededRandom
from ygg_c.link import wire
from ygg_c.node.gateway import Gateway
from ygg_c.stack.netstack import NetStack

TRAFFIC = 9


def stack_over(mesh: Mesh, number: int, seed: object = 0) -> NetStack:
    node = mesh.nodes[number]
    stack = NetStack([node.address], 65535, SeededRandom((number, seed)))
    Gateway(node).attach(stack)
    return stack


@pytest.fixture
def line() -> Iterator[list[Any]]:
    """A line of three nodes with stacks at its ends: mesh, a, b. pytest holds on to the list, so it is emptied."""
    with mesh_of(1, 2, 3) as mesh:
        parts: list[Any] = [mesh, stack_over(mesh, 1), stack_over(mesh, 3)]
        yield parts
        for stack in parts[1:]:
            stack.close()
        del stack
        parts.clear()


@pytest.mark.parametrize("count", [1, 10, 200])
@pytest.mark.parametrize("silence", [0, 61, 200])
def test_simultaneous_first_dials(line: list[Any], count: int, silence: float) -> None:
    """All are established at once, the first time and after any silence: no SYN is sent twice."""
    mesh, a, b = line
    listener = b.listen(None, 80, 1024)
    if silence:
        first = a.connect(mesh.nodes[3].address, 80)
        mesh.run(1)
        assert first.state == "ESTABLISHED"
        first.abort()
        mesh.run(silence)
        assert mesh.nodes[1].sessions() == []
    dials = [a.connect(mesh.nodes[3].address, 80) for _ in range(count)]
    mesh.run(0.5)
    assert [dial.state for dial in dials] == ["ESTABLISHED"] * count
    assert a.counters()["tcp_retransmits"] == 0
    listener.close()


@pytest.mark.parametrize("size", [8, 1200, 60000])
def test_ten_first_datagrams(line: list[Any], size: int) -> None:
    """All arrive, in the order in which they were sent."""
    mesh, a, b = line
    receiver, sender = b.udp(None, 9), a.udp(None, 0)
    for number in range(10):
        sender.send(bytes([number]) + bytes(size), mesh.nodes[3].address, 9)
    mesh.run(0.5)
    assert [data[0] for data, _ in receiver.recv_many()] == list(range(10))


def test_idle_connections_speak_without_a_delay(line: list[Any]) -> None:
    """The session behind an open connection is there however long it was silent; without one it lapses."""
    mesh, a, b = line
    b.listen(None, 80, 16)
    dial = a.connect(mesh.nodes[3].address, 80)
    mesh.run(400)
    assert len(mesh.nodes[1].sessions()) == len(mesh.nodes[3].sessions()) == 1
    opened = mesh.nodes[3].counters()["session_opened"]
    dial.write(b"at once")
    mesh.run(0.1)
    assert mesh.nodes[3].counters()["session_opened"] == opened == 1
    assert dial.queued == 0
    dial.abort()
    mesh.run(70)
    assert mesh.nodes[1].sessions() == []


def test_connections_to_a_restarted_node_end(line: list[Any]) -> None:
    """A node that crashes and comes back has its peers' idle connections to its old self end, before any keepalive."""
    mesh, a, b = line
    b.listen(None, 80, 16)
    dial = a.connect(mesh.nodes[3].address, 80)
    mesh.run(5)
    for link in [link for link in mesh.streams if link.key == mesh.nodes[3].key]:
        link.close()
    mesh.remove(3)
    mesh.run(2)
    mesh.add(3, life=2)
    mesh.connect(2, 3)
    mesh.run(5)
    again = stack_over(mesh, 3, "again")
    mesh.run(1)
    assert dial.state == "ESTABLISHED"
    echo = again.echo()
    echo.send(mesh.nodes[1].address, 1, b"hello")
    mesh.run(3)
    assert dial.state == "CLOSED"
    again.close()


def test_sessions_recover_while_strangers_flood() -> None:
    """Traffic in invented names does not keep a node from our Init after our restart."""
    with mesh_of(2, 1, 3) as mesh:
        b = stack_over(mesh, 2)
        echo = b.echo()
        a = stack_over(mesh, 1)
        echo.send(mesh.nodes[1].address, 0, b"x")
        mesh.run(2)
        assert len(echo.recv_many()) == 1
        mesh.remove(1)
        a.close()
        mesh.run(1)
        mesh.add(1, life=2)
        mesh.connect(1, 2)
        mesh.connect(1, 3)
        a = stack_over(mesh, 1, "again")
        mesh.run(3)
        near = [link for link in mesh.streams if link.key == mesh.nodes[3].key][-1]
        names = SeededRandom("names")
        answered = False
        for second in range(5):
            echo.send(mesh.nodes[1].address, 1 + second, b"x")
            for _ in range(10):
                for _ in range(100):
                    near.receive(wire.encode_frame(TRAFFIC, wire.encode(
                        TRAFFIC, path=mesh.nodes[1].coords, **{"from": [1]}, source=names.bytes(32),
                        dest=mesh.nodes[1].key, watermark=2**64 - 1, payload=b"\3" + bytes(60))))
                mesh.run(0.1)
            answered |= bool(echo.recv_many())
        assert answered
        assert mesh.nodes[1].counters()["session_stranger_limited"] > 1000
        a.close()
        b.close()


@pytest.mark.parametrize("count", [50, 200])
def test_many_clients_send_one_datagram_each_at_one_instant(count: int) -> None:
    """Behind one neighbour of the server: where lookups, answers and handshakes were refused, they are repeated."""
    clients = range(3, 3 + count)
    with mesh_of(1, 2) as mesh:
        for number in clients:
            mesh.add(number)
            mesh.connect(2, number)
        mesh.run(15)
        b = stack_over(mesh, 1)
        server = b.udp(None, 9)
        stacks = [stack_over(mesh, number) for number in clients]
        for number, stack in zip(clients, stacks, strict=True):
            stack.udp(None, 7).send(bytes([number]), mesh.nodes[1].address, 9)
        mesh.run(0.5)
        arrived = [data[0] for data, _ in server.recv_many()]
        assert len(arrived) >= min(count, 120)
        mesh.run(4)
        arrived += [data[0] for data, _ in server.recv_many()]
        assert sorted(arrived) == list(clients)
        for stack in [b, *stacks]:
            stack.close()
