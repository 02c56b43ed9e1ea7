"""The turns of an engine in Python; the rules themselves have their tests in tests/c/base/test_turn.py."""

import pytest

from ygg_c.testing.turns import TurnTap


def test_brackets() -> None:
    """The round's work is done when the outermost is left."""
    done: list[str] = []
    turns = TurnTap(lambda: done.append("round"), None)
    turns.enter()
    turns.enter()
    assert (turns.depth, done) == (2, [])
    turns.leave()
    assert (turns.depth, done) == (1, [])
    turns.leave()
    assert (turns.depth, done) == (0, ["round"])


def test_a_callback_has_its_arguments() -> None:
    told: list[tuple[int, str]] = []
    turns = TurnTap(lambda: None, None)
    turns.enter()
    turns.later(lambda *arguments: told.append(arguments), 1, "two")
    turns.leave()
    assert told == [(1, "two")]


def test_what_a_round_raises_is_seen() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    turns = TurnTap(fails, None)
    with pytest.raises(ZeroDivisionError):
        turns.turn()
