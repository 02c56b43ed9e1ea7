"""Credit: what a link lets its own node queue, and that who waits for more of it is always told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.c.stackkit import Log
from tests.c.worldkit import SECOND
from ygg.simulation import Conditions, World
from ygg_c.socket.endpoint import WRITABLE

FIRST, SECOND_NODE = 1, 2


class TwoNodes:
    """Two nodes with stacks. What the first one sends waits in its link after `hold()`, until the test drains it."""

    def __init__(self, mtu: int = 65535, delay: float = 0) -> None:
        self.world = World()
        for number in (FIRST, SECOND_NODE):
            self.world.add(number, mtu=mtu)
        joined = self.world.join(FIRST, SECOND_NODE, Conditions(delay=delay))
        self.link, self.wire = joined.at(FIRST), joined.wire_from(FIRST)
        self.stacks = {number: node.stack for number, node in self.world.nodes.items()}
        self.world.run(8)

    @property
    def address(self) -> bytes:
        return self.world.nodes[SECOND_NODE].engine.address

    def hold(self) -> None:
        self.wire.full = True

    def drain(self, size: int) -> None:
        """Take some bytes off the link, as a transport with a little room does, and give the node its turn."""
        self.wire.drain(size)
        self.turn()

    def turn(self) -> None:
        """One turn of the first node alone: nothing arrives."""
        self.world.nodes[FIRST].turn()

    def release(self) -> None:
        """Let everything flow until both are at rest."""
        self.wire.full = False
        self.world.run(0.02)    # less than the time after which an unused window shrinks

    def connected(self):
        """Return both ends of a connection whose congestion window is wide."""
        listener = self.stacks[SECOND_NODE].listen(None, 80, 16)
        client = self.stacks[FIRST].connect(self.address, 80)
        client.nodelay = True
        self.world.run(1)
        server = listener.accept()
        listener.close()
        return client, server

    def settle(self, server) -> None:
        """Let everything flow, be read and be acknowledged."""
        self.release()
        while read_all(server):
            self.release()

    def grow(self, client, server) -> None:
        """Make the congestion window grow."""
        for _ in range(8):
            client.send(bytes(client.send_space))
            self.settle(server)

    def close(self) -> None:
        self.world.close()
        self.__dict__.clear()


@contextmanager
def two_nodes(mtu: int = 65535, delay: float = 0) -> Iterator[TwoNodes]:
    made = TwoNodes(mtu, delay)
    try:
        yield made
    finally:
        made.close()


def read_all(connection) -> int:
    """Read what there is; return how many bytes."""
    total = 0
    while connection.readable:
        total += len(connection.recv(1 << 30))
    return total


def may_send(connection) -> int:
    """Bytes that window, congestion window and what was written allow to leave."""
    info = connection.info()
    allowed = min(info["cwnd"], info["send_window"]) - info["in_flight"]
    unsent = connection.queued - info["in_flight"]
    return unsent if unsent <= allowed else 0 if allowed < info["mss"] else info["mss"]


@pytest.mark.parametrize("mtu", [1280, 9000, 65535])
def test_a_drained_link_is_filled_again_without_an_acknowledgement(mtu):
    """All that the windows allow leaves as the link drains, though nothing arrives."""
    with two_nodes(mtu) as net:
        client, server = net.connected()
        net.grow(client, server)
        net.hold()
        client.send(bytes(client.send_space))
        net.turn()
        while net.link.queued:
            net.drain(1 << 20)
        assert client.info()["in_flight"] > 150_000
        assert may_send(client) == 0


def test_throughput_with_delay_and_large_segments():
    """At 50 ms there and back with 65,535-byte packets, nothing but the windows slows a transfer down."""
    with two_nodes(delay=0.025) as net:
        client, server = net.connected()
        began = net.world.now
        received = 0
        while net.world.now < began + 2 * SECOND:
            client.send(bytes(client.send_space))
            net.world.run(0.001)
            received += read_all(server)
        assert received > 100_000_000, received
        assert client.info()["timeouts"] == 0


class Credit(RuleBasedStateMachine):
    """Connections and datagram sockets of one node that share a link, drained in pieces of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.net = TwoNodes()
        self.connections = [self.net.connected() for _ in range(2)]
        for pair in self.connections:
            self.net.grow(*pair)
        self.socket = self.net.stacks[FIRST].udp(None, 0)
        self.log = Log(self.socket)
        self.waits = False
        self.net.hold()

    @rule(which=strategies.integers(0, 1), size=strategies.integers(1, 1 << 20))
    def write(self, which: int, size: int) -> None:
        client, _ = self.connections[which]
        client.send(bytes(min(size, client.send_space)))
        self.net.turn()

    @rule(which=strategies.integers(0, 1), size=strategies.integers(1, 3000))
    def write_a_little(self, which: int, size: int) -> None:
        self.write(which, size)

    @precondition(lambda self: not self.waits)
    @rule(size=strategies.sampled_from([0, 1000, 30_000, 65_000]))
    def send(self, size: int) -> None:
        self.log.flags = 0
        self.waits = not self.net_send(size)
        self.net.turn()

    def net_send(self, size: int) -> bool:
        return self.socket.send(bytes(size), self.net.address, 9)

    @rule(size=strategies.sampled_from([1, 1500, 65_536, 262_144, 1 << 20]))
    def drain(self, size: int) -> None:
        self.net.drain(size)

    @rule()
    def drain_all(self) -> None:
        while self.net.link.queued:
            self.net.drain(1 << 20)

    @rule()
    def flow(self) -> None:
        """Everything arrives and is acknowledged, then the link is full again."""
        for _, server in self.connections:
            self.net.settle(server)
        self.net.hold()

    @invariant()
    def nobody_waits_for_an_idle_link(self) -> None:
        self.waits = self.waits and not self.log.flags & WRITABLE
        if not self.net.link.queued:
            assert not self.waits
            assert [may_send(client) for client, _ in self.connections] == [0, 0]

    def teardown(self) -> None:
        self.socket.close()
        self.connections.clear()
        self.net.close()


TestCredit = Credit.TestCase
TestCredit.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
