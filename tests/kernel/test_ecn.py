"""Explicit congestion notification (RFC 3168) between our TCP and the kernel's."""

import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.c.stackkit import CWR, ECE, MS, SYN
from tests.kernel.namespace import obstacle
from tests.kernel.test_kernel import DATA, Both, read_all, send_all
from tests.kernel.wire import Medium, Way

REASON = obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.interop,
    pytest.mark.skipif(bool(REASON) and not os.environ.get("CI"), reason=REASON),
]
NARROW = Medium(delay=10 * MS, rate=2e6, buffer=1 << 22, mark=10 * MS)
TIMER = 200 * MS                # the shortest retransmission timeout of both
ECN, SEEN = 8, 16               # of tcpi_options
FLAGS = 53                      # where they stand in a packet


@pytest.fixture
def make() -> Iterator[Callable[[int], Both]]:
    """Give a maker of both, by the kernel's net.ipv4.tcp_ecn."""
    made: list[Both] = []

    def maker(setting: int) -> Both:
        made.append(Both(1500, NARROW))
        made[-1].namespace.set("net.ipv4.tcp_ecn", setting)
        return made[-1]

    yield maker
    while made:
        made.pop().close()


def signs(packet: bytes) -> Iterator[str]:
    """Yield what a segment has to do with marks."""
    flags, size = packet[FLAGS], len(packet) - 40 - (packet[52] >> 4) * 4
    if packet[1] >> 4 & 3:
        yield "ect" if size else "ect without data"
    if flags & SYN:
        yield "syn"
        if flags & (ECE | CWR) == ECE | CWR:
            yield "asking"
        return
    if flags & ECE:
        yield "ece"
    if flags & CWR:
        yield "cwr" if size else "cwr without data"


class Watch:
    """Counts what passes the wire, by the side that has sent it."""

    def __init__(self, both: Both, refuses: Callable[[int], bool] = lambda flags: False) -> None:
        self.count: Counter[tuple[str, str]] = Counter()
        self._wire = both.wire
        self._refuses = refuses
        self._send, both.wire._send = both.wire._send, self._look  # type: ignore[method-assign]

    def _look(self, packet: bytes, way: Way, now: int) -> None:
        side = "kernel" if way is self._wire.in_way else "ours"
        if packet[6] == 6:
            self.count.update((side, name) for name in signs(packet))
            if self._refuses(packet[FLAGS]):
                return
        self._send(packet, way, now)

    def close(self) -> None:
        del self._wire._send, self._send, self._wire


def figures(theirs: socket.socket) -> tuple[int, int]:
    """What the kernel says of its end: options, segments sent again."""
    info = theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return info[5], struct.unpack_from("I", info, 100)[0]


def transfer(both: Both, opener: str) -> tuple[dict[str, object], int, int]:
    """Send data both ways; return what both ends say of themselves."""
    ours, theirs = both.pair(opener)
    sending = both.kernel(send_all, theirs, DATA)
    reading = both.kernel(read_all, theirs)
    ours.write(DATA)
    ours.shutdown_write()
    assert both.read_ours(ours) == DATA
    both.finish(sending)
    assert both.finish(reading) == DATA
    return ours.info(), *figures(theirs)


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_marks_slow_both_down_without_a_loss(make, opener):
    """Each agrees, echoes the other's marks, slows down by its own, and says so; nothing is lost, nor sent twice.

    Where the wire stood still for about as long as a timer runs, since the machine had no time for it, a side may have
    sent something again: that says nothing of marks.
    """
    both = make(1)
    watch = Watch(both)
    info, options, again = transfer(both, opener)
    assert info["ecn"]
    assert options & (ECN | SEEN) == ECN | SEEN
    for side in ("ours", "kernel"):
        for what in ("ect", "ece", "cwr"):
            assert watch.count[side, what] > 0, (side, what)
    assert watch.count["ours", "ect without data"] == watch.count["ours", "cwr without data"] == 0
    counters = both.wire.stack.counters()
    assert counters["tcp_ce_received"] > 0
    assert counters["tcp_ece_received"] >= counters["tcp_ecn_reductions"] > 0
    assert both.wire.in_way.dropped == both.wire.out_way.dropped == 0
    if both.wire.pause < TIMER // 2:
        assert counters["tcp_retransmits"] == again == 0
    watch.close()


@pytest.mark.parametrize(("opener", "setting", "agreed"), [
    ("ours", 0, False), ("ours", 2, True), ("kernel's", 0, False), ("kernel's", 2, False),
])
def test_a_side_that_does_not_ask_or_agree(make, opener, setting, agreed):
    both = make(setting)
    watch = Watch(both)
    info, options, _ = transfer(both, opener)
    assert info["ecn"] is agreed
    assert bool(options & ECN) is agreed
    assert bool(watch.count["ours", "ect"]) is bool(watch.count["kernel", "ect"]) is agreed
    watch.close()


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_syns_that_ask_are_lost(make, opener):
    """Somewhere on the way they are dropped: the next one does not ask, and opens."""
    both = make(1)
    watch = Watch(both, lambda flags: flags & (SYN | ECE | CWR) == SYN | ECE | CWR)
    ours, _ = both.pair(opener)
    assert ours.info()["ecn"] is False
    side = "ours" if opener == "ours" else "kernel"
    assert (watch.count[side, "asking"], watch.count[side, "syn"]) >= (1, 2)
    watch.close()
