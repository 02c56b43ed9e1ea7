"""The scoreboard as a Python object; what it does is tested in tests/c/tcp/test_scoreboard.py."""

import pytest

from ygg_c.testing.scoreboards import SentSegments


def test_records_are_told_by_their_index() -> None:
    """From 0 for the first that is left, whatever number the board gives it."""
    segments = SentSegments(first=0xffffffff)
    for position in (0, 100):
        assert segments.push(position, 100, 7)
    segments.acknowledge(100)
    segments.lose(0)
    assert segments.next_lost() == 0
    assert segments.records() == [(100, 200, 7, 7, "lost")]


def test_what_is_not_there_is_refused() -> None:
    segments = SentSegments()
    segments.push(0, 100, 7)
    for index in (-1, 1):
        with pytest.raises(IndexError):
            segments.resend(index, 8)
    segments.lose(0)
    with pytest.raises(ValueError, match="not in flight"):
        segments.lose(0)
