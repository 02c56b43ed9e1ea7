"""Work that is done at intervals, and sooner when asked: what runs beside a node is made of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

FALLBACK = 60.0
"""Seconds between two turns where `interval()` has not told any yet, because it raises."""


def loop_time() -> float:
    """Return the time of the running event loop, in seconds: what passes in virtual time with all else."""
    return asyncio.get_running_loop().time()


class Background(ABC):
    """What runs beside a node from its start until it is closed: between the two as an asynchronous context manager."""

    __slots__ = ()

    @abstractmethod
    def start(self) -> None:
        """Begin. Does nothing when already started."""

    @abstractmethod
    async def close(self) -> None:
        """End. May be called twice."""

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class PeriodicService:
    """Does `work` when started and then again and again, with `interval()` seconds between two turns.

    `failed()` is called, as in an `except` block, for what a turn raises; the next one comes at its time. It is called
    too when `interval()` raises: the next turn comes after the interval told before, or else after `FALLBACK`. `name`
    is the task's. Belongs to the event loop it was started on.
    """

    def __init__(
        self,
        work: Callable[[], Awaitable[object]],
        interval: Callable[[], float],
        *,
        name: str,
        failed: Callable[[], object],
    ) -> None:
        self._work, self._interval, self._name, self._failed = work, interval, name, failed
        self._kicked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._task is not None

    def start(self) -> None:
        """Begin with a turn. Does nothing when already started."""
        if self._task is None:
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End at once, in the middle of a turn too. May be called twice, and start again after it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def kick(self) -> None:
        """Have the next turn come at once, or right after the present one. Any thread may call this."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._kicked.set)

    async def _run(self) -> None:
        pause = FALLBACK
        while True:
            self._kicked.clear()
            await self._turn()
            pause = self._next(pause)
            try:
                async with asyncio.timeout(pause):
                    await self._kicked.wait()
            except TimeoutError:
                pass

    def _next(self, last: float) -> float:
        """Return the seconds until the next turn: as many as last time where the owner cannot tell."""
        try:
            return float(self._interval())
        except Exception:
            self._failed()
            return last

    async def _turn(self) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._failed()  # something that the turn waited for was cancelled, not the service
        except Exception:
            self._failed()
