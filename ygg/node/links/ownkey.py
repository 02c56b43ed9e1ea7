"""A handshake with this node's own key at the far side: with itself, by its own listener, or with another program.

Theory of operation. The message that both sides send has nothing that would tell one program from another. But of a
connection to itself a node has both ends: when one of them fails for the key, the other end's handshake fails at the
same time, whatever its reason. So a handshake that has met our own key is judged a moment later: one on the other side,
dialed for an accepted one and the other way round, that failed within that moment was most likely its other end. A
second program that dials at such a moment is overlooked until its next attempt.

It is no proof: a stranger who sends our own message back looks the same. So of each side one handshake is judged at a
time, and after one that was told there is a pause: who connects again and again can fill no reader's queue.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from ygg.errors import SelfConnectionError

WITHIN = 2.0
"""Seconds within which both ends of one connection fail."""
PAUSE = 60.0
"""Seconds from one that was told to the next on the same side."""


class OwnKey:
    """Tells of another program with this node's key that handshakes have met."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[str], None]) -> None:
        """Have `tell(evidence)` called."""
        self._loop = loop
        self._tell = tell
        self._failed = {False: -math.inf, True: -math.inf}
        self._timers: dict[bool, asyncio.TimerHandle] = {}
        self._told = {False: -math.inf, True: -math.inf}
        self._closed = False

    def failed(self, incoming: bool, name: str, error: BaseException) -> None:
        """Note that a handshake has failed on a connection that was accepted or dialed; `name` is fit for a log."""
        now = self._loop.time()
        self._failed[incoming] = now
        if not isinstance(error, SelfConnectionError) or self._closed or incoming in self._timers:
            return
        if now >= self._told[incoming] + PAUSE:
            self._timers[incoming] = self._loop.call_later(WITHIN, self._judge, incoming, name, now)

    def _judge(self, incoming: bool, name: str, when: float) -> None:
        del self._timers[incoming]
        if self._failed[not incoming] < when - WITHIN:
            self._told[incoming] = self._loop.time()
            self._tell(f"the peer {'that came from' if incoming else 'at'} {name} has this node's key")

    def close(self) -> None:
        """Judge no more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
