"""What happens to a node, told as it happens: to callbacks, and to those who iterate.

An event is told once, from inside the node's turn, to callbacks in the order in which they came. Iterators have a queue
of their own, bounded, from which the oldest goes when it is full; the reader is told how many it has missed.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Self

from ygg.identity.address import address_of

log = logging.getLogger("ygg.events")

QUEUE = 1024
"""Events that wait for a reader, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened to a node."""


@dataclass(frozen=True, slots=True)
class _OfNode(Event):
    key: bytes
    """The other node's 32-byte public key."""

    @property
    def address(self) -> IPv6Address:
        """The other node's address."""
        return address_of(self.key)


@dataclass(frozen=True, slots=True)
class PeerUp(_OfNode):
    """A link is up, and its far side has shown that it holds its key."""

    url: str = field(repr=False)
    """Without its query; may hold the password of a proxy. Of an incoming link, where it came from."""
    redacted: str
    """The same, fit for a log."""
    inbound: bool
    """Whether it came in through a listener."""


@dataclass(frozen=True, slots=True)
class PeerDown(_OfNode):
    """A link that was up has ended."""

    url: str = field(repr=False)
    """As in `PeerUp`."""
    redacted: str
    """The same, fit for a log."""
    inbound: bool
    """Whether it came in through a listener."""
    reason: str
    """Why, as in `PeerInfo.last_error`."""


@dataclass(frozen=True, slots=True)
class PlaceChanged(Event):
    """The node has another root, or other coordinates, than before."""

    root: bytes
    """Key of the node that it takes for the root of the tree now."""
    coordinates: tuple[int, ...]
    """Ports from the root down to it; empty at the root."""


@dataclass(frozen=True, slots=True)
class PathFound(_OfNode):
    """There is a path to a node: a signed answer to a lookup, or it is a neighbour that is written to."""


@dataclass(frozen=True, slots=True)
class PathLost(_OfNode):
    """A path is broken, or was forgotten after a minute without use."""


@dataclass(frozen=True, slots=True)
class SessionOpened(_OfNode):
    """A node and this one have agreed on keys. Strangers open sessions as they like."""


@dataclass(frozen=True, slots=True)
class SessionClosed(_OfNode):
    """A session was forgotten: nothing has come for a minute, or others needed the room."""


@dataclass(frozen=True, slots=True)
class SameIdentity(Event):
    """Another program uses this node's key. What is sent to it reaches the one or the other.

    Where a handshake is the evidence a stranger may have sent this node's own message back: at most once a minute then.
    """

    evidence: str
    """How that was seen, for a person."""


@dataclass(frozen=True, slots=True)
class EventsLost(Event):
    """There were more events than their reader had room for."""

    count: int
    """How many are missing, here or a little later."""


Callback = Callable[[Event], object]
"""What an event is told to."""


class Events:
    """Tells the events of one node."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callback] = {}
        self._enders: dict[object, Callable[[], None]] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._callbacks)

    def tell(self, event: Event) -> None:
        """Tell all who listen. What a callback raises is logged."""
        for callback in list(self._callbacks.values()):
            try:
                callback(event)
            except Exception:
                log.exception("A callback for events failed")

    def subscribe(
        self,
        callback: Callback,
        kinds: tuple[type[Event], ...] = (),
        ended: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Call `callback(event)` for each event of `kinds` (none: of all) from now on; returns what ends that.

        `ended()` is called when the source is closed before.
        """
        mark = object()
        if ended is not None:
            self._enders[mark] = ended
        self._callbacks[mark] = callback if not kinds else lambda event: isinstance(event, kinds) and callback(event)

        def unsubscribe() -> None:
            self._callbacks.pop(mark, None)
            self._enders.pop(mark, None)

        return unsubscribe

    def stream(self, kinds: tuple[type[Event], ...] = (), limit: int = QUEUE) -> EventStream:
        """Return an iterator of the events of `kinds` (none: of all) from now on."""
        return EventStream(self, kinds, limit)

    @property
    def closed(self) -> bool:
        """Whether the node has stopped."""
        return self._closed

    def close(self) -> None:
        """Tell no more: iterators end once they have given what they hold."""
        self._closed = True
        for ended in list(self._enders.values()):
            ended()
        self._callbacks.clear()


class EventStream:
    """Events in their order, to be iterated over by one task: `async for event in node.events(): …`.

    It ends when the node stops, or with `close()`; one that is not referred to any more ends by itself. With `limit`
    events waiting the oldest goes, and `EventsLost` says how many did before the next is given.
    """

    def __init__(self, source: Events, kinds: tuple[type[Event], ...], limit: int) -> None:
        if limit < 1:
            raise ValueError("there must be room for one event")
        self._kinds = (*kinds, EventsLost) if kinds else ()
        self._waiting: deque[Event] = deque()
        self._limit = limit
        self._lost = 0
        self._ended = source.closed
        self._ready = asyncio.Event()
        reader = weakref.ref(self)

        def tell(event: Event) -> None:
            if (stream := reader()) is not None:
                stream._take(event)

        def ended() -> None:
            if (stream := reader()) is not None:
                stream.close()

        # The source keeps no reader alive, and a reader that has gone leaves nothing at the source.
        self._stop = source.subscribe(tell, (), ended)
        weakref.finalize(self, self._stop).atexit = False

    def _take(self, event: Event) -> None:
        if not self._kinds or isinstance(event, self._kinds):
            if len(self._waiting) >= self._limit:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(event)
            self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return EventsLost(lost)
        return self._waiting.popleft()

    def close(self) -> None:
        """Take no more events; what waits is still given."""
        self._stop()
        self._ended = True
        self._ready.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
