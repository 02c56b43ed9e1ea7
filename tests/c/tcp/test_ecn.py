"""Flows over a slow link whose queue marks packets by CoDel (RFC 3168, RFC 8289), in virtual time."""

import itertools
import math
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.lossy.flows import Figures, Run, Side
from benchmarks.lossy.link import MS, Cell, Direction
from tests.c.stackkit import ACK, CWR, ECE, SYN
from tests.c.tcp.scripted import scripts
from ygg_c.base.checksum import checksum
from ygg_c.tcp.connection import TcpConnection

test_scripts = scripts("25-ecn")

NOT_ECT, ECT_1, ECT_0, CE = range(4)
TARGET, INTERVAL = 10 * MS, 100 * MS
SLOW = Cell(10e6, 0.04, buffer=20, seconds=20)
MSS = 1428
FLAGS = 53      # where TCP's flags stand in a packet


class Codel(Direction):
    """The bottleneck: it decides about a packet when it comes, by how long it will wait."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell, lossy=True, seed=1)
        self.bad_since = self.next = 0
        self.count = 0
        self.wanted = 0
        """Marks that the next packets get."""

    def enter(self, now: int, size: int) -> tuple[int, bool]:
        """See Direction."""
        if self._busy - now < TARGET:
            self.bad_since = self.count = 0
        elif self.bad_since == 0:
            self.bad_since, self.next = now, now + INTERVAL
        elif now >= self.next:
            self.count += 1
            self.wanted += 1
            self.next += int(INTERVAL / math.sqrt(self.count))
        return super().enter(now, size)


class Marking(Side):
    """A stack in front of such a bottleneck."""

    mangle: Callable[[bytes], bytes] = staticmethod(lambda packet: packet)
    marks = 0

    def turn(self, now: int, arrived: list[bytes]) -> list[tuple[int, bytes]]:
        """See Side."""
        return [(arrival, self.mangle(self.mark(packet))) for arrival, packet in super().turn(now, arrived)]

    def mark(self, packet: bytes) -> bytes:
        """Mark a packet if the queue wants it and it may be."""
        way = self.direction
        assert isinstance(way, Codel)
        if way.wanted == 0 or packet[1] >> 4 & 3 == NOT_ECT:
            return packet
        way.wanted -= 1
        self.marks += 1
        return with_ecn(packet, CE)


def with_ecn(packet: bytes, ecn: int) -> bytes:
    """The packet with this ECN field."""
    return packet[:1] + bytes([packet[1] & 0xcf | ecn << 4]) + packet[2:]


def with_flags(packet: bytes, flags: int) -> bytes:
    """The packet with these TCP flags."""
    body = packet[40:53] + bytes([flags]) + packet[54:56] + b"\0\0" + packet[58:]
    value = checksum(packet[8:40] + struct.pack(">II", len(body), 6) + body)
    return packet[:40] + body[:16] + struct.pack(">H", value) + body[18:]


class Slow(Run):
    """Flows over it."""

    def __init__(self, cell: Cell, congestion: str = "cubic", ecn: int = 1) -> None:
        super().__init__(cell, congestion)
        self.sides[0].close(self.now)
        marking = Marking(self.sides[0].stack.addresses[0][0], cell, Codel(cell), congestion, 1)
        self.marking = marking
        self.sides = (marking, self.sides[1])
        for side in self.sides:
            side.stack.ecn = ecn
        self.windows: list[tuple[int, int]] = []
        self.counters: dict[str, int] = {}
        self.watch = self.look

    def look(self, now: int, client: TcpConnection) -> None:
        """Note how the congestion window moves."""
        cwnd = client.info()["cwnd"]
        if not self.windows or self.windows[-1][1] != cwnd:
            self.windows.append((now, cwnd))

    def _figures(self) -> Figures:
        self.counters = {
            name: sum(side.stack.counters()[name] for side in self.sides)
            for name in ("tcp_ce_received", "tcp_ece_received", "tcp_ecn_reductions", "tcp_retransmits")
        }
        return super()._figures()

    def reductions(self) -> list[int]:
        """When the window came down, in ns."""
        pairs = itertools.pairwise(self.windows)
        return [later for (_, before), (later, after) in pairs if after < before * 0.95]


@pytest.mark.parametrize("congestion", ["cubic", "newreno"])
def test_marks_slow_a_flow_down_without_a_loss(congestion):
    run = Slow(SLOW, congestion)
    figures = run.run()
    way = run.sides[0].direction
    assert way.dropped == run.counters["tcp_retransmits"] == figures.timeouts == 0
    # The last ones are on their way yet.
    assert run.marking.marks - 2 <= run.counters["tcp_ce_received"] <= run.marking.marks
    assert run.counters["tcp_ece_received"] >= run.counters["tcp_ecn_reductions"] > 3
    assert figures.goodput > 0.93
    # Once for each round trip, however many ACKs say so.
    times = run.reductions()
    assert len(times) == run.counters["tcp_ecn_reductions"]
    assert min(later - before for before, later in itertools.pairwise(times)) >= 40 * MS


def test_no_less_arrives_than_without_marks():
    """The queue is a few segments then, not full: goodput does not pay for that."""
    marked, dropped = Slow(SLOW), Slow(SLOW, ecn=0)
    with_marks, without = marked.run(), dropped.run()
    assert without.resent > 0
    assert dropped.marking.marks == dropped.counters["tcp_ce_received"] == 0
    assert with_marks.goodput > 0.98 * without.goodput


def test_two_flows_share_the_link():
    run = Slow(replace(SLOW, flows=2, seconds=40))
    figures = run.run()
    assert run.sides[0].direction.dropped == run.counters["tcp_retransmits"] == 0
    assert figures.jain > 0.95
    assert figures.goodput > 0.93


class TestMangled:
    """Ways and peers that do not keep to it: a flow is as good as without marks, or slow, and goes on."""

    def run(self, mangle: Callable[[bytes], bytes], back: Callable[[bytes], bytes] = lambda packet: packet) -> Slow:
        run = Slow(replace(SLOW, buffer=1, seconds=10))
        run.marking.mangle = mangle
        server = run.sides[1]
        turn = server.turn

        def turned(now: int, arrived: list[bytes]) -> Any:
            return [(at, back(packet)) for at, packet in turn(now, arrived)]

        server.turn = turned  # type: ignore[method-assign]
        self.figures = run.run()
        return run

    def test_the_field_is_cleared(self):
        """Marks too: losses tell."""
        run = self.run(lambda packet: with_ecn(packet, NOT_ECT))
        assert run.counters["tcp_ce_received"] == run.counters["tcp_ecn_reductions"] == 0
        assert self.figures.goodput > 0.9

    def test_all_is_marked(self):
        """SYNs as well, so that nothing is agreed on."""
        run = self.run(lambda packet: with_ecn(packet, CE))
        assert run.counters["tcp_ecn_reductions"] == 0
        assert self.figures.goodput > 0.9

    def test_all_that_may_be_marked_is(self):
        """As in a queue that never empties: two segments for each round trip remain."""
        run = self.run(lambda packet: with_ecn(packet, CE) if packet[1] >> 4 & 3 else packet)
        assert run.counters["tcp_ecn_reductions"] > 100
        assert 2 * MSS <= run.windows[-1][1] <= 4 * MSS
        assert self.figures.goodput > 0.02

    def test_the_flags_of_syns_are_cleared(self):
        run = self.run(lambda packet: with_flags(packet, SYN) if packet[FLAGS] & SYN else packet)
        assert run.marking.marks == run.counters["tcp_ce_received"] == 0
        assert self.figures.goodput > 0.9

    def test_the_answer_copies_the_flags_of_the_syn(self):
        """RFC 3168, 6.1.1: an old stack that returns reserved bits."""
        run = self.run(
            lambda packet: packet,
            lambda packet: with_flags(packet, SYN | ACK | ECE | CWR) if packet[FLAGS] & SYN else packet,
        )
        assert run.marking.marks == 0
        assert self.figures.goodput > 0.9

    def test_echoes_are_cleared(self):
        """The peer tells of no mark: the queue fills, and losses tell."""
        run = self.run(
            lambda packet: packet,
            lambda packet: packet if packet[FLAGS] & SYN else with_flags(packet, packet[FLAGS] & ~ECE),
        )
        assert run.marking.marks > 0
        assert run.counters["tcp_ecn_reductions"] == 0
        assert run.counters["tcp_retransmits"] > 0
        assert self.figures.goodput > 0.9

    def test_cwr_is_cleared(self):
        """The peer echoes one mark for ever, and the flow slows down for ever; it does not end."""
        run = self.run(lambda packet: packet if packet[FLAGS] & SYN else with_flags(packet, packet[FLAGS] & ~CWR))
        assert run.counters["tcp_ecn_reductions"] > 50
        assert self.figures.goodput > 0.02

    def test_the_peer_says_that_all_was_marked(self):
        run = self.run(
            lambda packet: packet,
            lambda packet: packet if packet[FLAGS] & SYN else with_flags(packet, packet[FLAGS] | ECE),
        )
        gaps = [later - before for before, later in itertools.pairwise(run.reductions())]
        assert min(gaps) >= 40 * MS
        assert self.figures.goodput > 0.02
