"""ygg_c.tcp.congestion.base: what algorithms with a slow start have in common."""

import pytest

from tests.c.stackkit import MS, SECOND
from tests.c.tcp.congestion.test_newreno import MSS, acks, avoiding, make

NONE = 1 << 62


@pytest.mark.parametrize(
    ("mss", "segments", "window"),
    [(1000, 10, 10_000), (1460, 10, 14_600), (5000, 10, 14_600), (9000, 10, 18_000), (65_000, 10, 130_000),
     (1000, 1, 1000), (65_000, 1, 65_000)],
)
def test_the_first_window_is_that_of_rfc_6928_or_one_segment_after_a_lost_syn(mss, segments, window) -> None:
    tap = make(segments, mss)
    assert (tap.cwnd, tap.ssthresh) == (window, NONE)
    tap.start(1)
    assert tap.cwnd == mss


def test_a_new_segment_size_leaves_the_window_alone_but_never_below_a_segment() -> None:
    tap = make()
    tap.segment_size(500)
    assert tap.cwnd == 10_000
    tap.segment_size(20_000)
    assert tap.cwnd == 20_000


@pytest.mark.parametrize(("size", "growth"), [(1, 1), (MSS, MSS), (2 * MSS, 2 * MSS), (40 * MSS, 2 * MSS)])
def test_an_ack_lets_a_slow_start_grow_by_what_it_covers_and_at_most_two_segments(size: int, growth: int) -> None:
    tap = make()
    acks(tap, 1, size)
    assert tap.cwnd == 10_000 + growth


def test_after_a_timeout_an_ack_lets_it_grow_by_one_segment() -> None:
    tap = make()
    tap.timed_out(10 * MSS, True, 0)
    acks(tap, 1, 40 * MSS, after_timeout=True)
    assert tap.cwnd == 2 * MSS


def test_a_recovery_ends_without_a_burst() -> None:
    tap = make()
    tap.cwnd = 100 * MSS
    tap.lost(MSS, 100 * MSS, 0)
    tap.recovered(7 * MSS, 0)
    assert tap.cwnd == 8 * MSS
    tap.recovered(60 * MSS, 0)
    assert tap.cwnd == tap.ssthresh == 50 * MSS


@pytest.mark.parametrize(
    ("duration", "segments"),
    [(0, 80), (199 * MS, 80), (200 * MS, 40), (450 * MS, 20), (SECOND, 10), (1000 * SECOND, 10)],
)
def test_a_window_without_use_is_halved_for_each_timeout_down_to_the_first_one(duration: int, segments: int) -> None:
    tap = avoiding(80)
    tap.idle(duration, 200 * MS, duration)
    assert tap.cwnd == segments * MSS
    assert tap.ssthresh == (60 * MSS if segments < 80 else 2 * MSS)


def test_a_small_window_is_not_made_larger_by_a_pause() -> None:
    tap = avoiding(3)
    tap.idle(10 * SECOND, SECOND, 0)
    assert tap.cwnd == 3 * MSS


def test_a_pause_in_the_first_slow_start_sets_no_threshold() -> None:
    tap = make()
    acks(tap, 30)
    tap.idle(10 * SECOND, SECOND, 0)
    assert (tap.cwnd, tap.ssthresh) == (10 * MSS, NONE)


def test_an_algorithm_goes_on_where_another_was() -> None:
    tap, before = make(), avoiding(33)
    tap.follow(before)
    assert (tap.cwnd, tap.ssthresh) == (before.cwnd, before.ssthresh)
