"""Token buckets."""

import pytest

from ygg_c.testing.rates import allowed, wait

SECOND = 1_000_000_000


@pytest.mark.parametrize("start", [0, SECOND, 10**18], ids=["at once", "a second on", "decades on"])
def test_a_burst_passes_then_the_rate(start: int) -> None:
    """A bucket of three lets three pass at once, then one for each tenth of a second."""
    assert allowed(10, 3, [start] * 5) == [True, True, True, False, False]
    times = [start] * 3 + [start + SECOND // 10 * step // 2 for step in range(1, 7)]
    assert allowed(10, 3, times)[3:] == [False, True] * 3


def test_what_is_saved_has_an_end() -> None:
    """However long the pause, no more than a burst passes."""
    assert sum(allowed(10, 3, [0] * 3 + [10**17] * 10)) == 6


@pytest.mark.parametrize("start", [0, 1, SECOND], ids=["at once", "a nanosecond on", "a second on"])
def test_a_bucket_is_full_at_first(start: int) -> None:
    """Whatever the clock shows when it is first asked."""
    assert allowed(2, 1, [start] * 2) == [True, False]


def test_a_cost_is_taken_as_a_whole() -> None:
    """What costs more than there is takes nothing; what costs more than the burst never passes."""
    assert allowed(1000, 2500, [0, 0, 0, SECOND // 2], cost=1000) == [True, True, False, True]
    assert not any(allowed(1000, 999, [0, 10**18], cost=1000))


@pytest.mark.parametrize(("rate", "burst", "cost"), [(10, 3, 1), (3, 7, 2), (10**9, 131072, 65535), (7, 100, 100)])
def test_the_wait_is_until_the_next_one_passes(rate: int, burst: int, cost: int) -> None:
    """A nanosecond earlier it does not."""
    times = [SECOND] * (burst // cost)
    assert wait(rate, burst, [], cost) == 0
    left = wait(rate, burst, times, cost)
    assert allowed(rate, burst, [*times, SECOND + left - 2, SECOND + left], cost)[-2:] == [False, True]


def test_large_rates_and_long_pauses_do_not_overflow() -> None:
    """Ten gigabytes a second, and years between two questions."""
    assert all(allowed(10**10, 10**9, [0, 10**18, 2 * 10**18], cost=10**9))
