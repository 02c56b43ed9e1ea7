"""What has been found is kept for a while, and what is being asked is asked once.

A caller that gives up leaves the question to the others that wait for it; the last one ends it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ygg.errors import ResolveError, TemporaryResolveError
from ygg.names.values import Answer, Kind

LEAST_TTL, MOST_TTL = 30.0, 3600.0
"""Seconds for which addresses are kept, whatever shorter or longer time their server says."""
NEGATIVE_TTL = 60.0
"""Seconds for which it is kept that there is no such name, or no such address."""
SIZE = 4096
"""Answers kept; the one that was used least lately goes."""
MOST_ASKED = 256
"""Questions under way; further ones are refused."""

Key = tuple[str, Kind]
"""A name, and what of it is asked for."""


class Cache:
    """Answers by what was asked."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._kept: OrderedDict[Key, tuple[float, Answer | None]] = OrderedDict()
        self._asking: dict[Key, _Asked] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def asking(self) -> int:
        """Questions that have no answer yet."""
        return len(self._asking)

    def clear(self) -> None:
        """Forget all that is kept."""
        self._kept.clear()

    async def get(self, key: Key, find: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return what is kept, else what `find()` returns, which is kept.

        Raises what `find()` does, of which a `ResolveError` is kept, but for a `TemporaryResolveError`; and one of
        those when too much is being asked.
        """
        now = asyncio.get_running_loop().time()
        until, answer = self._kept.get(key, (now, None))
        if until > now:
            self._kept.move_to_end(key)
            if answer is None:
                raise ResolveError(f"no such host: {key[0][:80]!r}")
            return Answer(answer.addresses, until - now)
        asked = self._asking.get(key)
        if asked is None:
            if len(self._asking) >= MOST_ASKED:
                raise TemporaryResolveError(f"{key[0][:80]!r}: {MOST_ASKED} names are being asked for already")
            asked = self._asking[key] = _Asked(self._find(key, find))
        try:
            return await asked.wait()
        finally:
            if not asked.waiting and self._asking.get(key) is asked:
                del self._asking[key]

    async def _find(self, key: Key, find: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await find()
        except TemporaryResolveError:
            raise
        except ResolveError:
            self._keep(key, None, NEGATIVE_TTL)
            raise
        ttl = min(max(answer.ttl, LEAST_TTL), MOST_TTL) if answer.addresses else NEGATIVE_TTL
        self._keep(key, answer, ttl)
        return Answer(answer.addresses, ttl)

    def _keep(self, key: Key, answer: Answer | None, seconds: float) -> None:
        self._kept[key] = asyncio.get_running_loop().time() + seconds, answer
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)


class _Asked:
    """A question under way."""

    def __init__(self, finding: Coroutine[Any, Any, Answer]) -> None:
        self._task = asyncio.create_task(finding)
        self.waiting = 0
        """Callers that wait for the answer."""

    async def wait(self) -> Answer:
        """Return the answer; the last caller that is cancelled ends the question."""
        self.waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self.waiting -= 1
            if not self.waiting and not self._task.done():
                self._task.cancel()
