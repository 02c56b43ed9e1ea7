"""ygg_c.base.timers: one deadline for each object, against a model that is a dictionary."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ygg_c.testing.containers import TimedTap, TimersTap


class Fired:
    """A timer that notes when it fires."""

    def __init__(self, again: int | None = None) -> None:
        self.times: list[int] = []
        self.again = again
        self.timed = TimedTap(self.fire)

    def fire(self, now: int) -> int | None:
        self.times.append(now)
        return self.again


def test_it_fires_once_and_not_before() -> None:
    heap, one = TimersTap(), Fired()
    heap.set(one.timed, 10)
    assert heap.run(9) == 10
    assert one.times == []
    assert heap.run(10) is None
    assert heap.run(11) is None
    assert one.times == [10]


def test_the_earliest_is_next_and_fires_first() -> None:
    heap = TimersTap()
    order: list[int] = []
    kept = [TimedTap(lambda now, due=due: order.append(due)) for due in (5, 3, 8, 1, 9, 2)]
    for timed, due in zip(kept, (5, 3, 8, 1, 9, 2), strict=True):
        heap.set(timed, due)
    assert heap.run(0) == 1
    assert heap.run(5) == 8
    assert order == [1, 2, 3, 5]


def test_a_deadline_moves_in_both_directions() -> None:
    heap, one = TimersTap(), Fired()
    heap.set(one.timed, 10)
    heap.set(one.timed, 30)
    assert heap.run(10) == 30       # looked at again when the old one is reached
    heap.set(one.timed, 20)
    assert heap.run(19) == 20
    assert heap.run(25) is None
    assert one.times == [25]


def test_what_has_no_deadline_any_more_does_not_fire() -> None:
    heap, one, other = TimersTap(), Fired(), Fired()
    heap.set(one.timed, 10)
    heap.set(other.timed, 20)
    heap.set(one.timed, None)
    assert heap.run(15) == 20
    heap.forget(other.timed)
    heap.forget(other.timed)
    assert heap.run(100) is None
    assert one.times == other.times == []


def test_one_that_never_had_a_deadline_takes_no_place() -> None:
    heap, one = TimersTap(), Fired()
    heap.set(one.timed, None)
    heap.forget(one.timed)
    assert heap.run(2**63) is None


def test_one_that_sets_itself_again_goes_on() -> None:
    heap, one = TimersTap(), Fired(again=50)
    heap.set(one.timed, 10)
    assert heap.run(10) == 50
    one.again = None
    assert heap.run(50) is None
    assert one.times == [10, 50]


def test_one_that_sets_itself_into_the_past_is_called_once_a_run() -> None:
    heap, one = TimersTap(), Fired(again=1)
    heap.set(one.timed, 10)
    assert heap.run(10) == 11
    assert heap.run(11) == 12
    assert one.times == [10, 11]


def test_one_that_fires_may_move_and_forget_others() -> None:
    heap, late, early = TimersTap(), Fired(), Fired()

    def fire(now: int) -> None:
        heap.forget(late.timed)
        heap.set(early.timed, now)

    first = TimedTap(fire)
    heap.set(first, 10)
    heap.set(late.timed, 11)
    assert heap.run(20) is None
    assert late.times == []
    assert early.times == [20]


class TimersMachine(RuleBasedStateMachine):
    """A timer fires in the first run at or after its deadline, and no run is told later than the next deadline."""

    def __init__(self) -> None:
        super().__init__()
        self.heap = TimersTap()
        self.now = 0
        self.due: dict[int, int] = {}
        self.fired: list[int] = []
        self.timers = [TimedTap(lambda now, name=name: self.fired.append(name)) for name in range(12)]

    names = st.integers(0, 11)

    @rule(name=names, after=st.integers(0, 30))
    def set(self, name: int, after: int) -> None:
        self.heap.set(self.timers[name], self.now + after)
        self.due[name] = self.now + after

    @rule(name=names)
    def unset(self, name: int) -> None:
        self.heap.set(self.timers[name], None)
        self.due.pop(name, None)

    @rule(name=names)
    def forget(self, name: int) -> None:
        self.heap.forget(self.timers[name])
        self.due.pop(name, None)

    @rule(passed=st.integers(0, 10))
    def run(self, passed: int) -> None:
        self.now += passed
        deadline = self.heap.run(self.now)
        expected = {name for name, due in self.due.items() if due <= self.now}
        assert sorted(self.fired) == sorted(expected)
        self.fired.clear()
        self.due = {name: due for name, due in self.due.items() if name not in expected}
        if self.due:
            assert deadline is not None
            assert self.now < deadline <= min(self.due.values())

    def teardown(self) -> None:
        """Following the deadlines that it tells, all that is set fires at its own time, and the heap is empty."""
        deadline = self.heap.run(self.now)
        while True:
            for name in self.fired:
                assert self.due.pop(name) == self.now
            self.fired.clear()
            if deadline is None:
                break
            self.now = deadline
            deadline = self.heap.run(self.now)
        assert self.due == {}


TestTimers = TimersMachine.TestCase
TestTimers.settings = settings(max_examples=100, stateful_step_count=40)
