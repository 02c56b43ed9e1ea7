"""Token buckets."""

import pytest

from ygg_c.testing.rates import allowed

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
