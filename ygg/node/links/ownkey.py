"""A handshake with this node's own key at the far side: with itself, by its own listener, or with another program.

Theory of operation. The message that both sides send has nothing that would tell one program from another. But of a
connection to itself a node has both ends: when one of them fails for the key, the other end's handshake fails at the
same time, whatever its reason. So a handshake that has met our own key is judged a moment later: one on the other side,
dialed for an accepted one and the other way round, that failed within that moment was most likely its other end. A
second program that dials at such a moment is overlooked until its next attempt.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from ygg.errors import SelfConnectionError

WITHIN = 2.0
"""Seconds within which both ends of one connection fail."""


class OwnKey:
    """Tells of another program with this node's key that handshakes have met."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[str], None]) -> None:
        """Have `tell(evidence)` called."""
        self._loop = loop
        self._tell = tell
        self._failed = {False: -math.inf, True: -math.inf}
        self._timers: deque[asyncio.TimerHandle] = deque()
        self._closed = False

    def failed(self, incoming: bool, name: str, error: BaseException) -> None:
        """Note that a handshake has failed on a connection that was accepted or dialed; `name` is fit for a log."""
        now = self._loop.time()
        self._failed[incoming] = now
        if isinstance(error, SelfConnectionError) and not self._closed:
            self._timers.append(self._loop.call_later(WITHIN, self._judge, incoming, name, now))

    def _judge(self, incoming: bool, name: str, when: float) -> None:
        self._timers.popleft()  # all wait for as long, so that the first is due first
        if self._failed[not incoming] < when - WITHIN:
            self._tell(f"the peer {'that came from' if incoming else 'at'} {name} has this node's key")

    def close(self) -> None:
        """Judge no more."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
