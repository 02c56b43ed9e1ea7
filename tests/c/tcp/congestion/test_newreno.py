"""ygg_c.tcp.congestion.newreno, and of the base what any algorithm with a slow start does."""

import pytest

from ygg_c.testing.congestion import CongestionTap

MSS = 1000


def make(segments: int = 10, mss: int = MSS) -> CongestionTap:
    """Return NewReno in slow start."""
    return CongestionTap("newreno", mss, segments)


def avoiding(segments: int) -> CongestionTap:
    """Return NewReno in congestion avoidance with a window of so many segments."""
    tap = make()
    tap.lost(MSS, 0, 0)
    tap.cwnd = segments * MSS
    return tap


def acks(tap: CongestionTap, count: int, size: int = MSS, **fields: bool) -> None:
    """Acknowledge `count` times."""
    for _ in range(count):
        tap.acked(0, size, **fields)


def test_nothing_grows_while_the_window_is_not_the_limit() -> None:
    for tap in (make(), avoiding(10)):
        acks(tap, 100, cwnd_limited=False)
        assert tap.cwnd == 10 * MSS


@pytest.mark.parametrize("size", [MSS // 2, MSS, 2 * MSS, 5 * MSS])
def test_congestion_avoidance_adds_a_segment_for_each_window_acknowledged(size: int) -> None:
    tap = avoiding(10)
    for window in range(10, 14):
        assert tap.cwnd == window * MSS
        acks(tap, window * MSS // size, size)
        acks(tap, 1, window * MSS % size) if window * MSS % size else None
    assert tap.cwnd == 14 * MSS


def test_slow_start_ends_exactly_at_the_threshold() -> None:
    tap = make()
    tap.lost(MSS, 11 * MSS, 0)
    tap.cwnd = tap.ssthresh - MSS // 2
    acks(tap, 1)
    assert tap.cwnd == tap.ssthresh == 5 * MSS
    acks(tap, 4)
    assert tap.cwnd == 5 * MSS
    acks(tap, 1)
    assert tap.cwnd == 6 * MSS


@pytest.mark.parametrize(
    ("in_flight", "threshold"),
    [(10 * MSS, 5 * MSS), (8 * MSS, 4 * MSS), (3 * MSS, 2 * MSS), (0, 2 * MSS), (40 * MSS, 5 * MSS)],
)
def test_a_loss_halves_what_is_in_flight_and_never_more_than_the_window(in_flight: int, threshold: int) -> None:
    tap = make()
    tap.lost(MSS, in_flight, 0)
    assert (tap.ssthresh, tap.cwnd) == (threshold, 10 * MSS)     # the way there is the sender's
    tap.recovered(in_flight, 0)
    assert tap.cwnd <= threshold


def test_a_timeout_leaves_one_segment_and_reduces_the_threshold_once() -> None:
    tap = make()
    tap.timed_out(10 * MSS, True, 0)
    assert (tap.cwnd, tap.ssthresh) == (MSS, 5 * MSS)
    tap.timed_out(MSS, False, 0)
    assert (tap.cwnd, tap.ssthresh) == (MSS, 5 * MSS)


@pytest.mark.parametrize("event", ["lost", "timed_out"])
def test_what_was_no_loss_is_undone_once(event: str) -> None:
    tap = avoiding(20)
    before = tap.ssthresh
    tap.lost(MSS, 20 * MSS, 0) if event == "lost" else tap.timed_out(20 * MSS, True, 0)
    tap.recovered(5 * MSS, 0)
    tap.undone(0)
    assert (tap.cwnd, tap.ssthresh) == (20 * MSS, before)
    tap.cwnd = 5 * MSS
    tap.undone(0)
    assert tap.cwnd == 5 * MSS


def test_a_mark_costs_a_fifth() -> None:
    tap = avoiding(20)
    tap.ecn(20 * MSS, 0)
    assert tap.cwnd == tap.ssthresh == 16 * MSS
    tap.undone(0)
    assert tap.cwnd == 16 * MSS


def test_a_mark_in_slow_start_costs_as_much_as_a_loss() -> None:
    """RFC 8511 is for congestion avoidance only: a slow start overshoots by as much again."""
    tap = make(10, 100)
    tap.cwnd = 4000
    tap.ecn(4000, 0)
    assert tap.cwnd == tap.ssthresh == 2000
