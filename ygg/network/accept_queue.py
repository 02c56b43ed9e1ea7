"""Connections that wait to be accepted: a bounded queue that can be closed."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ygg.errors import ListenerClosed

T = TypeVar("T")


class AcceptQueue(Generic[T]):
    """Hands items from producers to consumers, holding at most `room`; cancelling either side loses nothing."""

    def __init__(self, room: int) -> None:
        self._room = max(1, room)
        self._items: deque[T] = deque()
        self._waiters: dict[asyncio.Future[None], None] = {}  # who waits longest comes first
        self.closed = False
        """Whether nothing is taken or given any more."""

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: T) -> None:
        """Add `item`, waiting for room. Raises `ListenerClosed`; `item` is still the caller's then."""
        await self._until(lambda: len(self._items) < self._room)
        self._items.append(item)
        self._notify()

    def offer(self, item: T) -> bool:
        """Add `item` if there is room; tell whether there was."""
        if self.closed or len(self._items) >= self._room:
            return False
        self._items.append(item)
        self._notify()
        return True

    async def get(self) -> T:
        """Return the next item, waiting for one. Raises `ListenerClosed`."""
        await self._until(lambda: bool(self._items))
        item = self._items.popleft()
        self._notify()
        return item

    def close(self) -> list[T]:
        """Fail all waiting and later calls; return the items that were left."""
        self.closed = True
        left, self._items = list(self._items), deque()
        self._notify()
        return left

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not self.closed and not ready():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = None
            try:
                await waiter
            finally:
                self._waiters.pop(waiter, None)
        if self.closed:
            raise ListenerClosed

    def _notify(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
