"""Virtual time, and what happens in it.

A `Timeline` is a clock and a queue of what is to be done at which time. Alone, its time passes in `run`: from one event
to the next, with nothing in between. In an event loop it has no `run`: it does what is due when the loop's time has
come there, and with a `VirtualLoop` that is as reproducible, for the loop's clock is its own.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final

from ygg.simulation.loop import VirtualLoop
from ygg_c.base.clock import Clock, VirtualClock

SECOND: Final = 1_000_000_000
"""Nanoseconds, which the engine's times are in."""

MOST_AT_ONCE: Final = 10_000_000
"""Events at one time after which a simulation is taken for one that does not come to rest."""

Call = Callable[[], object]
"""What is done at a time."""


def nanoseconds(seconds: float) -> int:
    """Return a duration in whole nanoseconds."""
    return round(seconds * SECOND)


class Timeline:
    """A clock, and what is to be done at which of its times; of what is due at one, the older goes first."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, clock: Clock | None = None) -> None:
        """Begin at one second, or now in the time of a loop.

        `clock` is, without a loop, a `VirtualClock` that begins at 0; with a `VirtualLoop`, that of the loop; and with
        another loop, the system's, so that what is simulated takes real time.
        """
        if clock is None:
            clock = loop.clock if isinstance(loop, VirtualLoop) else VirtualClock() if loop is None else Clock()
        self.clock = clock
        """Of nodes and stacks that live in this time."""
        self._loop = loop
        self._events: list[tuple[int, int, Call]] = []
        self._order = itertools.count()
        self._timer: asyncio.Handle | None = None
        self._armed = 0
        self._working = False
        self._at_once = 0
        if loop is None:
            self._move_to(SECOND)

    @property
    def now(self) -> int:
        """The time in nanoseconds."""
        return self.clock.now()

    @property
    def time(self) -> float:
        """The time in seconds."""
        return self.now / SECOND

    @property
    def wall(self) -> int:
        """Unix time in whole seconds, which sessions and tree records tell."""
        return self.clock.unix() // SECOND

    def at(self, time: int, call: Call) -> None:
        """Have something done at a time in nanoseconds, or as soon as possible where that has passed."""
        heapq.heappush(self._events, (time, next(self._order), call))
        if self._loop is not None and not self._working and (self._timer is None or time < self._armed):
            self._arm()

    def after(self, seconds: float, call: Call) -> None:
        """Have something done so many seconds from now."""
        self.at(self.now + nanoseconds(seconds), call)

    def run(self, seconds: float, until: Callable[[], object] | None = None, every: float = 0) -> bool:
        """Let time pass: so long, or until a condition holds; tell whether it does.

        The condition is asked after each event, or, where that would take long, `every` so many seconds.

        RuntimeError in an event loop, where time passes while what is awaited has not come; also when the events of one
        time, each of which brings about others, do not end.
        """
        if self._loop is not None:
            raise RuntimeError("time passes in the event loop: await something, such as asyncio.sleep()")
        if until is not None and every:
            return self._run_by(every, seconds, until)
        end = self.now + nanoseconds(seconds)
        while until is None or not until():
            if not self._step(end):
                return until is not None and bool(until())
        return True

    def step(self, seconds: float = 0) -> bool:
        """Do only what is next within so many seconds, after the time until then; tell whether there was anything.

        RuntimeError as for `run`.
        """
        if self._loop is not None:
            raise RuntimeError("time passes in the event loop: await something, such as asyncio.sleep()")
        return self._step(self.now + nanoseconds(seconds))

    def _step(self, end: int) -> bool:
        if not self._events or self._events[0][0] > end:
            self._move_to(end)
            return False
        self._next()
        return True

    def _run_by(self, every: float, seconds: float, until: Callable[[], object]) -> bool:
        end = self.now + nanoseconds(seconds)
        while not until():
            if self.now >= end:
                return False
            self.run(min(every, (end - self.now) / SECOND))
        return True

    def close(self) -> None:
        """Forget what was to be done."""
        self._events.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> None:
        time, _, call = heapq.heappop(self._events)
        self._move_to(time)
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            raise RuntimeError("what is simulated does not come to rest")
        call()

    def _move_to(self, time: int) -> None:
        if (missing := time - self.now) > 0:
            self.clock.advance(missing)
            self._at_once = 0

    # In an event loop

    def _arm(self) -> None:
        assert self._loop is not None
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._events[0][0]
        delay = self._armed - self.now
        # What is due comes in the next round, as with call_soon(), and not in the one after it, as a timer would.
        self._timer = self._loop.call_later(delay / SECOND, self._due) if delay > 0 else self._loop.call_soon(self._due)

    def _due(self) -> None:
        self._timer = None
        # A virtual loop reckons in floats, and may be a few ns too early: its clock is moved on by these.
        sure = self._armed if isinstance(self._loop, VirtualLoop) else 0
        self._working = True
        try:
            while self._events and self._events[0][0] <= max(self.now, sure):
                self._next()
        finally:
            self._working, self._at_once = False, 0
            if self._events:
                self._arm()
