"""Nodes with stacks, joined by links of a certain rate and delay, in virtual time."""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.link import Link, PySink
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack

SECOND = 1_000_000_000
MS = 1_000_000
START = 1_700_000_000
FAST = 10**9
PIECE = bytes(1 << 18)


class Wire:
    """One direction of a link: a transport that holds a little, then a wire of a rate (bits/s) and a delay (ns)."""

    HOLDS = 8192

    def __init__(self, net: "Net", target: int, rate: float, delay: int) -> None:
        self.net = net
        self.target = target
        self.rate = rate
        self.delay = delay
        self.held = 0
        self.free_at = 0
        self.carried = 0
        self.unacknowledged = 0
        self.acknowledged_at = net.now
        self.dead = False
        """What is under way vanishes, and nothing that it holds leaves, as on a cable that is cut without a word."""
        self.link: Link
        self.other: Link

    def flush(self, link: Link) -> None:
        """Take what there is room for, as a transport does."""
        while self.held < self.HOLDS and (data := link.take(self.HOLDS)):
            self._put(data)
        link.blocked = self.held >= self.HOLDS

    def _put(self, data: bytes) -> None:
        size = len(data)
        self.held += size
        self.carried += size
        self.free_at = max(self.free_at, self.net.now) + int(size * 8 * SECOND / self.rate)
        self.net.at(self.free_at, lambda: self._gone(size))
        self.net.at(self.free_at + self.delay, lambda: self._arrive(data))
        if not self.unacknowledged:
            self.acknowledged_at = self.net.now
        self.unacknowledged += 1
        self.net.at(self.free_at + 2 * self.delay, self._acknowledge)

    def _acknowledge(self) -> None:
        if not self.dead:
            self.unacknowledged -= 1
            self.acknowledged_at = self.net.now

    def hears(self, again: bool) -> bool:
        """Whether acknowledgements still come, or may be under way, as a transport can tell."""
        return self.net.now - self.acknowledged_at < 1.5 * SECOND + 2 * self.delay

    def _arrive(self, data: bytes) -> None:
        if not self.dead:
            self.net.receive(self.target, self.other, data)

    def _gone(self, size: int) -> None:
        if self.dead:
            return
        self.held -= size
        if self.link.blocked and self.held <= self.HOLDS // 2:
            self.link.blocked = False
            self.link.want_flush()


class Net:
    """Nodes by number, and what happens between them."""

    def __init__(self, mtu: int = 65535) -> None:
        self.now = SECOND
        self.mtu = mtu
        self.nodes: dict[int, Node] = {}
        self.stacks: dict[int, NetStack] = {}
        self.gateways: list[Gateway] = []
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._due: dict[int, int | None] = {}

    def add(self, *numbers: int) -> None:
        """Make nodes."""
        for number in numbers:
            node = Node(secret_key(number), random=SeededRandom(number))
            stack = NetStack([node.address], self.mtu, SeededRandom((number, 0)))
            gateway = Gateway(node, self.mtu)
            gateway.attach(stack)
            self.nodes[number], self.stacks[number] = node, stack
            self.gateways.append(gateway)
            self._due[number] = node.turn(self.now, START + self.now // SECOND)
            node.on_work = lambda number=number: self._due.__setitem__(number, 0)

    def join(self, first: int, second: int, rate: float = FAST, delay: int = 0) -> tuple[Wire, Wire]:
        """Join two nodes; return the wires of both directions."""
        there, back = Wire(self, second, rate, delay), Wire(self, first, rate, delay)
        a, b = self.nodes[first], self.nodes[second]
        there.link = back.other = a.add_link(b.key, 0, PySink(there.flush, there.hears))
        back.link = there.other = b.add_link(a.key, 0, PySink(back.flush, back.hears))
        return there, back

    def at(self, time: int, what: Callable[[], object]) -> None:
        """Have something done at a time in ns."""
        heapq.heappush(self._events, (time, next(self._order), what))

    def receive(self, number: int, link: Link, data: bytes) -> None:
        """Let a node have bytes of a link, in a turn of their own."""
        node = self.nodes[number]
        node.enter(self.now, START + self.now // SECOND)
        link.receive(data)
        node.leave()
        if self._due[number] != 0:      # a turn that it has asked for must come: it asks once
            self._due[number] = node.deadline

    def run(self, seconds: float, until: Callable[[], object] = lambda: False) -> None:
        """Let time pass, from event to event."""
        end = self.now + int(seconds * SECOND)
        while not until():
            self._turns()
            times = [due for due in self._due.values() if due is not None]
            if self._events:
                times.append(self._events[0][0])
            self.now = max(self.now, min([end, *times]))
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            if self.now >= end:
                self._turns()
                return

    def _turns(self) -> None:
        for _ in range(1000):
            asked = [number for number, due in self._due.items() if due is not None and due <= self.now]
            if not asked:
                return
            for number in asked:
                self._due[number] = None
                due = self.nodes[number].turn(self.now, START + self.now // SECOND)
                if self._due[number] is None:
                    self._due[number] = due
        raise AssertionError("the nodes do not come to rest")

    def close(self) -> None:
        """Close everything."""
        for stack in self.stacks.values():
            stack.close()
        for gateway in self.gateways:
            gateway.close()
        for node in self.nodes.values():
            node.close()
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
