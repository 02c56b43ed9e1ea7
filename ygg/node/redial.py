"""When a persistent peer is dialed again.

The pauses between attempts double. Those after a link that has lived for a while begin small: what took it away is
likely to pass, and the peer is known to be there. While traffic waits for a path the pauses are short whatever has
failed before, though the longer the peer has been away the less is expected of it; and when the machine's network has
changed, or the machine goes on after it was suspended, there is no pause at all.

An attempt that was begun during an outage sends again what was lost on a timer of its own, which doubles. While traffic
waits, further attempts join it, and the first that succeeds counts. All peers that are away share their pace: one that
is back is enough.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

MOST_FAILURES = 32
"""Failures after which the pause between redials grows no more."""
JITTER = 0.2
"""Part of a pause that is chance, so that the peers of a node that restarts do not all come back at once."""
LIVED = 30.0
"""Seconds after which a link has shown that its peer is there to stay."""
SETTLED = 8.0
"""Seconds after which a link is no attempt any more; one whose far side does not prove its key ends before."""
HEAD_START = 3
"""Doublings that the first pause after such a link is shorter by."""
GAP = 0.7
"""Seconds between attempts while traffic waits; a TCP in the kernel repeats a SYN after one."""
PATIENCE = 64
"""Part of the time that a peer has been away, which is the gap when that is longer."""
SHARE = 0.07
"""Seconds between attempts of all peers that are away while traffic waits, on the average."""
WANTED = 64.0
"""Seconds for which traffic that found no path counts: TCP tries again once a minute at least."""
ATTEMPTS = 8
"""Attempts under way at most: one that nothing answers takes five seconds."""
LOOK = 0.5
"""Seconds between looks at whether another attempt is due."""


def pause_before_redial(failures: int, most: float, chance: float) -> float:
    """Return the seconds to wait after so many failures in a row; `chance` is 0 to 1, `most` is never exceeded.

    Fewer than none: after a link that has lived for long.
    """
    return min(2.0 ** min(failures, MOST_FAILURES) * (1 - JITTER / 2 + JITTER * chance), most)


class Demand:
    """Whether traffic waits for a path, so that peers are needed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: random.Random) -> None:
        self.loop = loop
        """The event loop whose time counts."""
        self.random = rng
        """What makes pauses differ."""
        self.until = -math.inf
        """The loop's time up to which it does."""
        self._away: dict[Redial, None] = {}  # in order, so that in virtual time each run is the same

    def note(self) -> None:
        """Note that traffic waits now."""
        begins = not self.lasts
        self.until = self.loop.time() + WANTED
        if begins:
            for redial in self._away:
                redial.look()

    @property
    def lasts(self) -> bool:
        """Whether some did lately."""
        return self.loop.time() < self.until


class Redial:
    """The pauses of one peer."""

    def __init__(self, demand: Demand, most: float) -> None:
        self._demand = demand
        self._loop = demand.loop
        self._most = most
        self._failures = 0
        self.away_since = self._loop.time()
        """The loop's time at which the last link ended that had lived for long, or that of the beginning."""
        self._share = SHARE * demand.random.uniform(1 - JITTER, 1 + JITTER)
        self._wake = asyncio.Event()
        self._now = False

    @property
    def gap(self) -> float:
        """Seconds between attempts as traffic that waits has it; infinite when none does."""
        if not self._demand.lasts:
            return math.inf
        return max(GAP, (self._loop.time() - self.away_since) / PATIENCE, self._share * len(self._demand._away))

    def lost(self, lived: float) -> None:
        """Note that a link has ended which lived for so many seconds."""
        self._failures = -HEAD_START if lived >= LIVED else 0
        if lived >= SETTLED:
            self.away_since = self._loop.time()

    def at_once(self) -> None:
        """End the present pause, or have another attempt join those under way."""
        self._now = True
        self._wake.set()

    def network_changed(self) -> None:
        """The same, with small pauses after it: what changed may not be complete yet."""
        self._failures = min(self._failures, -HEAD_START)
        self.at_once()

    def look(self) -> None:
        """Have the present pause measured anew."""
        self._wake.set()

    async def rest(self, *, forever: bool = False) -> None:
        """Wait after a failure; `forever`: until an attempt is asked for."""
        self._failures = min(self._failures + 1, MOST_FAILURES)
        begun = self._loop.time()
        pause = pause_before_redial(self._failures, self._most, self._demand.random.random())
        self._demand._away[self] = None
        try:
            while not self._now:
                self._wake.clear()
                try:
                    async with asyncio.timeout_at(None if forever else begun + min(pause, self.gap)):
                        await self._wake.wait()
                except TimeoutError:
                    break
        finally:
            self._demand._away.pop(self, None)
            self._now = False

    async def first(
        self,
        attempt: Callable[[], asyncio.Task[T]],
        drop: Callable[[T], object],
        failed: Callable[[BaseException], object],
    ) -> T:
        """Return what the first attempt to succeed returns; raise what the last to fail raises.

        `attempt` begins one. `drop` is called with what others return that were under way, `failed` with what is not
        raised.
        """
        def end(task: asyncio.Task[T]) -> None:
            if _failure(task) is None:
                drop(task.result())

        attempts: list[asyncio.Task[T]] = []  # the oldest first
        self._now = False
        self._demand._away[self] = None
        try:
            while True:
                begun = self._loop.time()
                attempts.append(attempt())
                # Looked at again and again, not once: when traffic begins to wait, `gap` shrinks from infinity.
                while not self._is_due(begun, len(attempts)):
                    left = LOOK if len(attempts) >= ATTEMPTS else min(LOOK, begun + self.gap - self._loop.time())
                    done, _ = await asyncio.wait(attempts, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                    for task in sorted(done, key=attempts.index):
                        attempts.remove(task)
                        if (error := _failure(task)) is None:
                            return task.result()
                        if not attempts:
                            raise error
                        failed(error)
        finally:
            self._demand._away.pop(self, None)
            # One that has just succeeded is not undone by its cancellation: its link is dropped when that shows.
            for task in attempts:
                task.cancel()
                task.add_done_callback(end)

    def _is_due(self, begun: float, under_way: int) -> bool:
        """Whether another attempt shall join."""
        if under_way >= ATTEMPTS or not (self._now or self._loop.time() >= begun + self.gap):
            return False
        self._now = False
        return True


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
