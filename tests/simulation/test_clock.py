"""Virtual time alone, and in event loops."""

import asyncio

import pytest

from ygg.simulation import Timeline, VirtualLoop
from ygg.simulation.clock import SECOND, nanoseconds


def test_events_happen_in_the_order_of_their_times_and_then_of_their_making() -> None:
    timeline, done = Timeline(), []
    for name, seconds in (("late", 2.0), ("first", 1.0), ("second", 1.0)):
        timeline.after(seconds, lambda name=name: done.append((name, timeline.now)))
    assert not timeline.run(10)
    assert done == [("first", 2 * SECOND), ("second", 2 * SECOND), ("late", 3 * SECOND)]
    assert timeline.time == 11


def test_time_stops_where_a_condition_holds() -> None:
    timeline, done = Timeline(), []
    for seconds in (1, 2, 3):
        timeline.after(seconds, lambda: done.append(timeline.now))
    assert timeline.run(10, lambda: len(done) == 2)
    assert timeline.time == 3
    assert not timeline.run(0.5, lambda: len(done) == 3)
    assert timeline.time == 3.5
    asked: list[float] = []
    assert timeline.run(10, lambda: asked.append(timeline.time) or len(done) == 3, every=0.2)
    assert asked == pytest.approx([3.5, 3.7, 3.9, 4.1])
    assert not timeline.run(0.5, lambda: False, every=0.2)
    assert timeline.time == pytest.approx(4.6)


def test_a_step_is_what_comes_next_or_the_time_that_was_given() -> None:
    timeline, done = Timeline(), []
    for seconds in (0, 0, 2):
        timeline.after(seconds, lambda: done.append(timeline.time))
    assert [timeline.step() for _ in range(3)] == [True, True, False]
    assert done == [1, 1]
    assert not timeline.step(1)
    assert timeline.time == 2
    assert timeline.step(5)
    assert (done[-1], timeline.time) == (3, 3)


def test_what_is_due_already_happens_now() -> None:
    timeline, done = Timeline(), []
    timeline.at(0, lambda: done.append(timeline.now))
    timeline.run(0)
    assert done == [SECOND]


def test_unix_time_passes_too() -> None:
    timeline = Timeline()
    before = timeline.wall
    timeline.run(90.5)
    assert timeline.wall == before + 90


def test_events_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ygg.simulation.clock.MOST_AT_ONCE", 1000)
    timeline = Timeline()

    def again() -> None:
        timeline.at(timeline.now, again)

    again()
    with pytest.raises(RuntimeError, match="come to rest"):
        timeline.run(1)


def test_in_a_virtual_loop_its_time_is_that_of_the_loop() -> None:
    async def main() -> None:
        loop, done = asyncio.get_running_loop(), []
        timeline = Timeline(loop)
        times = [nanoseconds(0.1), nanoseconds(0.1) + 1, nanoseconds(7.3), 123_456_789_123]
        for time in reversed(times):
            timeline.at(time, lambda time=time: done.append((time, timeline.now)))
        with pytest.raises(RuntimeError, match="event loop"):
            timeline.run(1)
        with pytest.raises(RuntimeError, match="event loop"):
            timeline.step()
        await asyncio.sleep(200)
        assert [now for _, now in done] == [time for time, _ in done] == sorted(times)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def test_in_another_loop_it_takes_real_time() -> None:
    async def main() -> None:
        timeline, done = Timeline(asyncio.get_running_loop()), asyncio.Event()
        before = timeline.now
        timeline.after(0.01, done.set)
        timeline.after(3600, done.clear)
        await done.wait()
        assert timeline.now - before >= nanoseconds(0.01)
        timeline.close()

    asyncio.run(main())


def test_an_event_that_raises_ends_no_other() -> None:
    async def main() -> None:
        loop, caught, done = asyncio.get_running_loop(), [], []
        loop.set_exception_handler(lambda loop, context: caught.append(context["exception"]))
        timeline = Timeline(loop)
        timeline.after(1, lambda: 1 / 0)
        timeline.after(1, lambda: done.append(1))
        timeline.after(2, lambda: done.append(2))
        await asyncio.sleep(3)
        assert done == [1, 2]
        assert [type(error) for error in caught] == [ZeroDivisionError]

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
