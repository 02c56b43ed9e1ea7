"""ygg.periodic: work at intervals, in virtual time."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.aio import on_loops, run, until
from ygg.periodic import FALLBACK, Background, PeriodicService


class Turns:
    """Notes when turns come, by the loop's clock; each may raise or take its time."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.failures = 0
        self.error: BaseException | None = None
        self.takes = 0.0
        self.interval: float | None = 10.0
        """Seconds; None raises."""

    async def turn(self) -> None:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes)
        if self.error is not None:
            raise self.error

    def failed(self) -> None:
        self.failures += 1

    def told(self) -> float:
        if self.interval is None:
            raise ZeroDivisionError
        return self.interval

    def service(self) -> PeriodicService:
        return PeriodicService(self.turn, self.told, name="turns", failed=self.failed)


@contextlib.asynccontextmanager
async def started(turns: Turns) -> AsyncIterator[PeriodicService]:
    service = turns.service()
    service.start()
    try:
        yield service
    finally:
        await service.stop()


def virtually(main: Callable[[Turns], Any]) -> list[float]:
    """Run a test in virtual time and return when turns came, since the first."""
    turns = Turns()
    run(main(turns), "virtual")
    return [round(time - turns.times[0], 3) for time in turns.times]


def test_turns_come_at_the_interval_after_the_one_before_has_ended() -> None:
    async def main(turns: Turns) -> None:
        turns.takes = 3
        async with started(turns):
            await asyncio.sleep(30)

    assert virtually(main) == [0, 13, 26]


def test_an_interval_that_changes_counts_from_the_next_turn_on() -> None:
    async def main(turns: Turns) -> None:
        async with started(turns):
            await asyncio.sleep(1)
            turns.interval = 2
            await asyncio.sleep(14)

    assert virtually(main) == [0, 10, 12, 14]


def test_a_kick_brings_the_next_turn_forward_and_two_are_one() -> None:
    async def main(turns: Turns) -> None:
        async with started(turns) as service:
            await asyncio.sleep(1)
            service.kick()
            service.kick()
            await asyncio.sleep(11)

    assert virtually(main) == [0, 1, 11]


def test_a_kick_in_the_middle_of_a_turn_has_another_follow_it() -> None:
    async def main(turns: Turns) -> None:
        turns.takes = 3
        async with started(turns) as service:
            await asyncio.sleep(1)
            service.kick()
            await asyncio.sleep(6)

    assert virtually(main) == [0, 3]


def test_a_turn_that_fails_is_told_and_the_next_one_comes() -> None:
    async def main(turns: Turns) -> None:
        turns.error = ZeroDivisionError()
        async with started(turns):
            await asyncio.sleep(15)
        assert turns.failures == 2

    assert virtually(main) == [0, 10]


def test_an_interval_that_cannot_be_told_is_that_of_the_turn_before() -> None:
    async def main(turns: Turns) -> None:
        async with started(turns):
            await asyncio.sleep(1)
            turns.interval = None
            await asyncio.sleep(20)
            assert turns.failures == 2
            turns.interval = 3
            await asyncio.sleep(13)

    assert virtually(main) == [0, 10, 20, 30, 33]


def test_a_first_interval_that_cannot_be_told_is_a_minute() -> None:
    async def main(turns: Turns) -> None:
        turns.interval = None
        async with started(turns):
            await asyncio.sleep(FALLBACK + 1)

    assert virtually(main) == [0, 60]


def test_stopping_ends_a_turn_and_starting_begins_again() -> None:
    async def main(turns: Turns) -> None:
        turns.takes = 5
        service = turns.service()
        service.kick()  # before the start it does nothing
        assert not service.running
        service.start()
        service.start()
        assert service.running
        await asyncio.sleep(1)
        await service.stop()
        await service.stop()
        assert not service.running
        await asyncio.sleep(100)
        service.kick()
        service.start()
        await asyncio.sleep(1)
        await service.stop()
        assert turns.failures == 0

    assert virtually(main) == [0, 101]


@on_loops
async def test_any_thread_may_kick() -> None:
    turns = Turns()
    async with started(turns) as service:
        await until(lambda: turns.times)
        thread = threading.Thread(target=service.kick)
        thread.start()
        await until(lambda: len(turns.times) == 2)
        thread.join()


def test_a_kick_after_the_loop_has_closed_does_nothing() -> None:
    turns = Turns()

    async def main() -> PeriodicService:
        async with started(turns) as service:
            await asyncio.sleep(0)
        return service

    run(main()).kick()


def test_a_turn_that_waited_for_what_was_cancelled_is_a_failed_one() -> None:
    async def main(turns: Turns) -> None:
        turns.error = asyncio.CancelledError()
        async with started(turns) as service:
            await asyncio.sleep(25)
            assert turns.failures == 3
            assert service.running

    assert virtually(main) == [0, 10, 20]


def test_what_runs_in_the_background_is_started_and_closed_around_a_body() -> None:
    """An error of the body ends it, too, and goes on its way."""
    calls: list[str] = []

    class Noted(Background):
        def start(self) -> None:
            calls.append("start")

        async def close(self) -> None:
            calls.append("close")

    async def body(error: Exception | None) -> None:
        async with Noted() as noted:
            assert isinstance(noted, Noted)
            calls.append("body")
            if error is not None:
                raise error

    run(body(None))
    with pytest.raises(KeyError):
        run(body(KeyError("in the body")))
    assert calls == ["start", "body", "close"] * 2
