"""ygg.stream.watermarks: the limits of asyncio's own transports."""

import pytest

from ygg.stream.watermarks import watermarks


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [(None, None, (16, 64)), (100, None, (25, 100)), (None, 10, (10, 40)), (7, 7, (7, 7)), (0, None, (0, 0))],
)
def test_what_is_not_given_follows_from_the_rest(high: int | None, low: int | None, expected: tuple[int, int]) -> None:
    assert watermarks(high, low, 64) == expected


@pytest.mark.parametrize(("high", "low"), [(1, 2), (-1, None), (None, -1)])
def test_nonsense_is_refused(high: int | None, low: int | None) -> None:
    with pytest.raises(ValueError, match="must be >="):
        watermarks(high, low, 64)
