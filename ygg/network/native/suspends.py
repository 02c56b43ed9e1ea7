"""Tells when the machine goes on after it was suspended.

The clock of an event loop stands still meanwhile (CLOCK_MONOTONIC on Linux, `mach_absolute_time` on macOS), so what
waited for a minute still does. Another clock went on: CLOCK_BOOTTIME on Linux, elsewhere the time of day, where one
that is set forward counts as well. Their difference is looked at now and then, as the loop's timers are all that a
program without privileges has on every system. Where the loop's clock goes on, as on Windows, nothing is told: there
what was due meanwhile happens at once by itself.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

LOOK = 1.0
"""Seconds between looks: the longest from when the machine goes on until that is told."""
LEAST = 5.0
"""Seconds that the machine has slept when it is told; less changes little, and a busy machine reads clocks late."""


def slept() -> float:
    """Return the seconds that the machine has been suspended, counted from any time."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.time() - time.monotonic()


class Suspends:
    """Calls `told` soon after each time that the machine was suspended, until closed."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, told: Callable[[], object], slept: Callable[[], float] = slept
    ) -> None:
        """Read `slept`, seconds that the machine has been suspended, counted from any time; by default the system's."""
        self._loop = loop
        self._told = told
        self._slept = slept
        self._known = slept()
        self._next = loop.call_later(LOOK, self._look)

    def close(self) -> None:
        """Tell nothing more."""
        self._next.cancel()

    def _look(self) -> None:
        self._next = self._loop.call_later(LOOK, self._look)
        before, self._known = self._known, self._slept()
        if self._known - before >= LEAST:
            self._told()
