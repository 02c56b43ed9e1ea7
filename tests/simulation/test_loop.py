"""An event loop in virtual time."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ygg.simulation import VirtualLoop


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        return await main()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole())


def test_waiting_takes_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(10**6)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(main) == pytest.approx(10**6 + 3600)
    assert time.monotonic() - began < 1000


def test_its_clock_shows_its_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        epoch = loop.clock.unix()
        for pause in (0.1, 0.000001, 7.3):
            before = loop.clock.now()
            await asyncio.sleep(pause)
            assert loop.clock.now() - before == pytest.approx(pause * 1e9, abs=2)
            assert loop.time() == loop.clock.now() / 1e9
        assert loop.clock.unix() - epoch == loop.clock.now()

    run(main)


def test_timers_go_off_when_years_have_passed() -> None:
    """In seconds a float no longer tells one nanosecond from the next then."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.clock.advance(10**17)
        waiting = asyncio.ensure_future(pauses())
        guard = threading.Timer(5, loop.call_soon_threadsafe, (waiting.cancel,))
        guard.start()
        try:
            await waiting
        finally:
            guard.cancel()
            guard.join()
        return loop.time()

    async def pauses() -> None:
        for pause in (1e-9, 0.1, 7.3):
            await asyncio.sleep(pause)

    assert run(main) == pytest.approx(10**8 + 7.4, abs=1e-3)


def test_no_time_passes_while_a_thread_would_work() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        other = asyncio.ensure_future(asyncio.sleep(1))
        assert await asyncio.to_thread(time.sleep, 0.02) is None
        assert await loop.run_in_executor(None, max, 1, 2) == 2
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        assert loop.time() == 0
        await other

    run(main)
