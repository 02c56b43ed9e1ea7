"""ygg_c.tcp.congestion.hystart, by CUBIC's slow start (RFC 9406)."""

import pytest

from tests.c.stackkit import MS
from ygg_c.testing.congestion import CongestionTap

MSS = 1000
NONE = 1 << 62


class SlowStart:
    """A connection in its first slow start that always has something to send."""

    def __init__(self) -> None:
        self.tap = CongestionTap("cubic", MSS)
        self.una = 1
        self.nxt = self.round_end = self.una + self.tap.cwnd

    def ack(self, rtt: int) -> None:
        """Acknowledge a segment."""
        self.una += MSS
        if self.una >= self.round_end:
            self.round_end = self.nxt
        self.tap.acked(0, MSS, rtt=rtt, una=self.una, nxt=self.nxt)
        self.nxt = self.una + self.tap.cwnd // MSS * MSS

    def round(self, *rtts: int) -> float:
        """Acknowledge what is in flight, with round trips as given, the last one again and again.

        Return the growth for each byte acknowledged.
        """
        before, una, end = self.tap.cwnd, self.una, self.round_end
        for number in range((end - una) // MSS):
            self.ack(rtts[min(number, len(rtts) - 1)])
        assert self.una == end
        return (self.tap.cwnd - before) / (end - una)

    @property
    def cautious(self) -> bool:
        return bool(self.tap.info()["css"])


def test_slow_start_doubles_while_round_trips_stay() -> None:
    flow = SlowStart()
    for _ in range(6):
        assert flow.round(50 * MS) == 1
    assert (flow.cautious, flow.tap.ssthresh) == (False, NONE)


@pytest.mark.parametrize(
    ("before", "rise", "exits"),
    [(20, 3.9, False), (20, 4, True), (80, 9.9, False), (80, 10, True), (400, 15.9, False), (400, 16, True)],
)
def test_a_rise_of_an_eighth_within_four_to_sixteen_ms_makes_it_cautious(before, rise, exits) -> None:
    flow = SlowStart()
    flow.round(before * MS)
    flow.round(before * MS)
    growth = flow.round(int((before + rise) * MS))
    assert flow.cautious is exits
    assert (growth < 1) is exits


def test_the_first_seven_samples_prove_nothing() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    for number in range(1, 9):
        flow.ack(80 * MS)
        assert flow.cautious is (number == 8)


def test_one_short_round_trip_in_a_round_is_its_least() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    assert flow.round(50 * MS, 90 * MS) == 1
    assert not flow.cautious


def test_cautious_slow_start_is_a_quarter_as_fast_and_lasts_five_rounds() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    flow.round(60 * MS)         # it becomes cautious in this one, which counts
    for number in range(1, 5):
        assert (flow.cautious, flow.tap.ssthresh) == (True, NONE)
        assert flow.round(60 * MS) == pytest.approx(0.25, abs=0.01), number
    assert flow.tap.ssthresh == pytest.approx(flow.tap.cwnd, abs=MSS)
    assert flow.round(60 * MS) < 0.1


def test_round_trips_that_fall_again_show_that_it_was_jitter() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    flow.round(62 * MS)
    flow.round(62 * MS)
    assert flow.cautious
    flow.round(55 * MS)
    assert not flow.cautious
    assert flow.round(55 * MS) == 1
    assert flow.tap.ssthresh == NONE


def test_the_rounds_of_caution_are_counted_anew_after_jitter() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    for _ in range(3):
        flow.round(62 * MS)
    flow.round(50 * MS)
    flow.round(50 * MS)
    flow.round(60 * MS)
    for _ in range(3):
        flow.round(60 * MS)
        assert flow.cautious
    flow.round(60 * MS)
    assert flow.tap.ssthresh < NONE


def test_a_loss_ends_it_and_later_slow_starts_are_plain() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    flow.round(60 * MS)
    flow.tap.timed_out(flow.tap.cwnd, True, 0)
    flow.tap.cwnd = 12 * MSS
    assert flow.tap.ssthresh > 16 * MSS
    before = flow.tap.cwnd
    for _ in range(2):
        flow.ack(500 * MS)
    assert flow.tap.cwnd == before + 2 * MSS
    assert not flow.cautious


def test_acks_without_a_sample_change_nothing() -> None:
    flow = SlowStart()
    flow.round(50 * MS)
    assert flow.round(0) == 1
    assert flow.round(500 * MS) == 1        # nothing to compare with
    assert flow.round(600 * MS) < 1
