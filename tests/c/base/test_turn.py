"""The rules of turns: nesting, rounds, who is asked, and for when."""

from collections.abc import Iterator

import pytest

from ygg_c.testing.turns import TurnTap


class Engine:
    """An engine whose rounds are counted."""

    def __init__(self) -> None:
        self.rounds = self.asked = 0
        self.deadline: int | None = None
        self.turns = TurnTap(self.poll, self.ask)

    def poll(self) -> int | None:
        self.rounds += 1
        return self.deadline

    def ask(self) -> None:
        self.asked += 1


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.__dict__.clear()


def test_a_turn_without_more_to_do_is_one_round(engine: Engine) -> None:
    assert engine.turns.turn() is None
    assert (engine.rounds, engine.asked) == (1, 0)


def test_the_host_is_asked_once_until_it_gives_a_turn(engine: Engine) -> None:
    engine.turns.want()
    engine.turns.want()
    assert engine.asked == 1
    engine.turns.turn()
    engine.turns.want()
    assert engine.asked == 2


def test_where_nobody_can_be_asked_the_wish_is_not_taken_for_granted() -> None:
    asked: list[int] = []
    engine = TurnTap(lambda: None, None)
    engine.want()
    other = TurnTap(lambda: None, lambda: asked.append(1))
    other.want()
    assert asked == [1]


def test_what_a_round_wants_before_its_flush_is_done_by_it(engine: Engine) -> None:
    engine.turns.enter()
    engine.turns.want()
    engine.turns.leave()
    assert (engine.rounds, engine.asked) == (1, 0)


def test_what_callbacks_want_is_done_in_a_further_round(engine: Engine) -> None:
    engine.turns.enter()
    engine.turns.later(engine.turns.want)
    engine.turns.leave()
    assert (engine.rounds, engine.asked) == (2, 0)


def test_callbacks_run_in_their_order_with_nothing_queued_behind_them_lost(engine: Engine) -> None:
    told: list[str] = []
    engine.turns.enter()
    engine.turns.later(told.append, "first")
    engine.turns.later(lambda: engine.turns.later(told.append, "third"))
    engine.turns.later(told.append, "second")
    engine.turns.leave()
    assert told == ["first", "second", "third"]
    assert engine.rounds == 2


def test_rounds_end_and_the_rest_is_due_at_once(engine: Engine) -> None:
    """Four of them; then the host is asked, as it waits for nothing so soon."""
    def again() -> None:
        engine.turns.later(again)

    engine.turns.enter()
    again()
    engine.turns.leave(now=7)
    assert (engine.rounds, engine.asked) == (4, 1)
    assert engine.turns.turn(now=8) == 8
    assert (engine.rounds, engine.asked) == (8, 1)


def test_a_nested_turn_is_only_noted(engine: Engine) -> None:
    """Taken by a callback, it makes for another round of the turn that runs."""
    depths: list[int] = []

    def nested() -> None:
        engine.turns.enter()
        depths.append(engine.turns.depth)
        engine.turns.leave()

    engine.turns.enter()
    engine.turns.later(nested)
    engine.turns.leave()
    assert depths == [2]
    assert engine.rounds == 2
    assert engine.turns.depth == 0


def test_a_turn_that_a_callback_gives_promises_nothing(engine: Engine) -> None:
    """The outer one tells the host a deadline, which it has not told before."""
    engine.turns.turn()
    engine.deadline = 50
    engine.turns.enter()
    engine.turns.later(engine.turns.turn)
    engine.turns.leave()
    assert engine.asked == 1


def test_an_earlier_deadline_asks_the_host_and_a_later_one_does_not(engine: Engine) -> None:
    engine.deadline = 100
    assert engine.turns.turn() == 100
    for deadline, asked in ((100, 0), (200, 0), (99, 1)):
        engine.deadline = deadline
        engine.turns.enter()
        engine.turns.leave()
        assert engine.asked == asked


def test_what_could_not_be_flushed_is_due_at_once(engine: Engine) -> None:
    engine.deadline = 100
    engine.turns.mark("link")
    assert engine.turns.turn(now=5) == 5
    assert engine.turns.take_dirty() == ["link"]
    assert engine.turns.turn(now=6) == 100


def test_what_a_flush_marks_is_for_the_next(engine: Engine) -> None:
    engine.turns.mark("first")
    for part in engine.turns.take_dirty():
        engine.turns.mark(f"{part} again")
    assert engine.turns.take_dirty() == ["first again"]
    assert engine.turns.take_dirty() == []


def test_a_batch_that_is_open_asks_for_nothing(engine: Engine) -> None:
    """Opened twice it is closed once; whoever asked before it has had what was wanted."""
    engine.turns.want()
    engine.turns.open()
    engine.turns.open()
    engine.turns.want()
    assert engine.asked == 1
    engine.turns.close()
    engine.turns.want()
    assert engine.asked == 2
