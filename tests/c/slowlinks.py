"""Nodes with stacks, joined by links of a certain rate and delay, in virtual time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ygg.simulation import Conditions, StreamWire, World
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack

SECOND = 1_000_000_000
MS = 1_000_000
FAST = 10**9
PIECE = bytes(1 << 18)


class Net:
    """Nodes by number with their stacks, in a world of their own."""

    def __init__(self, mtu: int = 65535) -> None:
        self.world = World("slow links")
        self.mtu = mtu
        self.nodes: dict[int, Node] = {}
        self.stacks: dict[int, NetStack] = {}
        self.gateways: list[Gateway] = []
        self.at = self.world.timeline.at

    @property
    def now(self) -> int:
        """The time in ns."""
        return self.world.now

    def add(self, *numbers: int) -> None:
        """Make nodes."""
        for number in numbers:
            node = self.world.add(number, mtu=self.mtu)
            self.nodes[number], self.stacks[number] = node.engine, node.stack
            self.gateways.append(node.gateway)

    def join(self, first: int, second: int, rate: float = FAST, delay: int = 0) -> tuple[StreamWire, StreamWire]:
        """Join two nodes by a link of a rate in bits/s and a delay in ns; return the wires of both directions."""
        return self.world.join(first, second, Conditions(rate=rate, delay=delay / SECOND)).wires

    def run(self, seconds: float, until: Callable[[], object] | None = None) -> None:
        """Let time pass, from event to event."""
        self.world.run(seconds, until)

    def close(self) -> None:
        """Close everything, and stacks that tests have put in the place of others."""
        for stack in self.stacks.values():
            stack.close()
        self.world.close()
        self.__dict__.clear()


@contextmanager
def net_of(mtu: int = 65535) -> Iterator[Net]:
    """A net that is closed in the end."""
    net = Net(mtu)
    try:
        yield net
    finally:
        net.close()


class Bulk:
    """A transfer from one node to another that never ends, and when its bytes arrive."""

    def __init__(self, net: Net, source: int, target: int, port: int = 7) -> None:
        self.net = net
        self.arrived: dict[int, int] = defaultdict(int)
        self.last = self.longest_silence = 0
        listener = net.stacks[target].listen(None, port)
        self.client = net.stacks[source].connect(net.nodes[target].address, port)
        net.run(30, lambda: self.client.state == "ESTABLISHED")
        net.run(1)
        accepted: list = []
        net.run(30, lambda: accepted.append(listener.accept()) or accepted[-1] is not None)
        self.server = accepted[-1]
        listener.close()
        self.server.on_event = lambda events: self._read()

    def start(self) -> "Bulk":
        """Begin to send."""
        self.client.on_event = lambda events: self._fill()
        self.last = self.net.now
        self._fill()
        return self

    def _fill(self) -> None:
        while self.client.send(PIECE) == len(PIECE):
            pass

    def _read(self) -> None:
        size = 0
        while self.server.readable:
            size += len(self.server.recv(1 << 20))
        if size:
            now = self.net.now
            self.longest_silence = max(self.longest_silence, now - self.last)
            self.last = now
            self.arrived[now // SECOND] += size

    def rate(self, begin: int, end: int) -> float:
        """Mbit/s between two times in whole seconds."""
        return sum(self.arrived[second] for second in range(begin, end)) * 8 / 1e6 / (end - begin)


def ping(net: Net, source: int, target: int, count: int, every: float) -> list[float | None]:
    """Send echo requests; return their round trips in ms, None for one that was refused or lost."""
    socket = net.stacks[source].echo()
    sent: dict[int, int] = {}
    times: dict[int, float] = {}

    def hear(events: int) -> None:
        for _, sequence, _, _, arrival in socket.recv_many():
            times[sequence] = (arrival - sent[sequence]) / MS

    socket.on_event = hear
    for sequence in range(count):
        sent[sequence] = net.now
        socket.send(net.nodes[target].address, sequence, bytes(56))
        net.run(every)
    net.run(3, lambda: len(times) == count)
    socket.close()
    return [times.get(sequence) for sequence in range(count)]


def jain(shares: list[float]) -> float:
    """Jain's index of fairness: 1 when all are equal."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
