"""Whole nodes: a process that ends without a word and comes back, as the connections of its peers see it."""

from collections.abc import Iterator

import pytest

from tests.c.worldkit import SECOND
from ygg.simulation import World
from ygg_c.base.sodium import SeededRandom
from ygg_c.node.gateway import Gateway
from ygg_c.stack.netstack import NetStack

OURS, THEIRS, BETWEEN = 1, 2, 3


class Pair:
    """Two nodes with stacks, linked or with another between them; the second can end and begin again."""

    def __init__(self, apart: bool = False) -> None:
        self.world = World()
        self.near = BETWEEN if apart else OURS
        self.stacks: dict[int, NetStack] = {}
        self.gateways: dict[int, Gateway] = {}
        for number in (OURS, THEIRS):
            self.start(number)
        if apart:
            self.world.add(BETWEEN)
            self.world.join(OURS, BETWEEN)
        self.world.join(self.near, THEIRS)
        self.world.run(8)

    def start(self, number: int, stack: NetStack | None = None) -> None:
        node = self.world.add(number).engine
        stack = stack or NetStack([node.address], 65535, SeededRandom((number, self.world.now)))
        gateway = Gateway(node, 65535)
        gateway.attach(stack)
        self.stacks[number], self.gateways[number] = stack, gateway

    @property
    def address(self) -> bytes:
        return self.world.nodes[THEIRS].engine.address

    def connected(self):
        listener = self.stacks[THEIRS].listen(None, 80)
        client = self.stacks[OURS].connect(self.address, 80)
        self.world.run(2)
        self.server = listener.accept()
        assert client.state == self.server.state == "ESTABLISHED"
        listener.close()
        return client

    def restart(self, silence: float = 5, keep: bool = False) -> None:
        """End the second node without a word, begin another after `silence` seconds; `keep`: below the same stack."""
        stack = self.stacks.pop(THEIRS)
        self.gateways.pop(THEIRS).close()
        if not keep:
            stack.close()
        self.world.remove(THEIRS)
        self.world.run(silence)
        self.start(THEIRS, stack if keep else None)
        self.world.join(self.near, THEIRS)
        self.world.run(3)

    def until_closed(self, connection, limit: float) -> float:
        """Return the seconds until the connection ended."""
        began = self.world.now
        while not connection.closed and self.world.now < began + limit * SECOND:
            self.world.run(0.1)
        return (self.world.now - began) / SECOND

    def close(self) -> None:
        for stack in self.stacks.values():
            stack.close()
        for gateway in self.gateways.values():
            gateway.close()
        self.world.close()
        self.__dict__.clear()


@pytest.fixture(params=["linked"])
def pair(request) -> Iterator[list]:
    """A pair in a list, for pytest holds on to what a fixture yields."""
    parts = [Pair(request.param == "apart")]
    yield parts
    parts[0].close()
    parts.clear()


apart = pytest.mark.parametrize("pair", ["apart"], indirect=True)


@pytest.mark.parametrize("silence", [2, 50, 200, 3600])
def test_idle_connections_to_a_neighbour_end_when_it_is_back(pair, silence):
    """Nobody says anything but the nodes: the link that comes back is enough, however long it was away."""
    net = pair[0]
    client = net.connected()
    net.world.run(100)
    net.restart(silence)
    assert net.until_closed(client, 60) <= 2
    assert isinstance(OSError(client.error, ""), ConnectionResetError)


@apart
@pytest.mark.parametrize(("silence", "limit"), [(2, 50), (40, 50), (100, 110), (400, 410), (3600, 970)])
def test_idle_connections_to_a_distant_node_end_some_time_after_it_is_back(pair, silence, limit):
    """Nothing tells of its restart: it is asked when the session is renewed, or after as long again as it was away."""
    net = pair[0]
    client = net.connected()
    net.world.run(20)
    net.restart(silence)
    assert net.until_closed(client, 2000) <= limit
    assert isinstance(OSError(client.error, ""), ConnectionResetError)


@apart
def test_idle_connections_end_when_the_restarted_peer_speaks(pair):
    """One datagram of the new process to us is enough; before it nothing tells of the restart."""
    net = pair[0]
    client = net.connected()
    net.world.run(100)
    net.restart()
    assert not client.closed
    net.stacks[THEIRS].udp(None, 0).send(b"hello", net.world.nodes[OURS].engine.address, 9)
    assert net.until_closed(client, 60) <= 2
    assert isinstance(OSError(client.error, ""), ConnectionResetError)


@apart
def test_idle_connections_end_when_we_speak_on_another(pair):
    """Any packet of ours to the new process makes the new session."""
    net = pair[0]
    client = net.connected()
    net.restart()
    assert not client.closed
    net.stacks[OURS].udp(None, 0).send(b"hello", net.address, 9)
    assert net.until_closed(client, 60) <= 3


@apart
def test_a_connection_with_data_underway_ends_soon_after_the_restart(pair):
    """Its retransmission timer has grown while nothing was there; it does not run to its end."""
    net = pair[0]
    client = net.connected()
    net.gateways[THEIRS].detach()
    client.send(b"underway")
    net.world.run(20)
    net.restart(silence=30)
    net.stacks[THEIRS].udp(None, 0).send(b"hello", net.world.nodes[OURS].engine.address, 9)
    assert net.until_closed(client, 60) <= 2


def test_a_peer_whose_connections_live_on_below_a_new_node_is_asked_and_keeps_them(pair):
    """Its stack was moved to another node with the same key: a new session, and nothing forgotten."""
    net = pair[0]
    client = net.connected()
    net.restart(keep=True)
    net.stacks[THEIRS].udp(None, 0).send(b"hello", net.world.nodes[OURS].engine.address, 9)
    net.world.run(5)
    assert net.stacks[OURS].counters()["tcp_probes"] == 1
    client.send(b"more")
    net.world.run(1)
    assert (client.state, client.info()["in_flight"]) == ("ESTABLISHED", 0)
    assert net.server.recv(100) == b"more"
