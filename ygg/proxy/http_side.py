"""One connection of HTTP/1.1, the client's or the server's, parsed by h11."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from ygg.errors import MissingExtraError, ProxyError
from ygg.proxy.sockets import pause, resume

try:
    import h11
except ImportError as error:
    raise MissingExtraError("HTTP by ygg.proxy needs h11: pip install 'ygg[proxy]'") from error

__all__ = ["MOST_HEAD", "Lost", "Side", "h11"]

MOST_HEAD = 32 * 1024
"""Bytes of the head of a request or response."""
MOST_WAITING = 64 * 1024
"""Bytes that are read ahead of what has been handled."""


class Lost(ProxyError):
    """The other side of a connection is gone."""

    text = "connection lost"


class Side(asyncio.Protocol):
    """One connection, parsed."""

    def __init__(
        self, role: type[h11.CLIENT] | type[h11.SERVER], transport: asyncio.Transport,
        on_lost: Callable[[], object] = lambda: None,
    ) -> None:
        self.http = h11.Connection(role, MOST_HEAD)
        """What parses it."""
        self.transport = transport
        """What carries it."""
        self.lost = self.eof = False
        """Whether the connection is gone, and whether its stream has ended."""
        self.used = False
        """Whether a byte has come since the last request."""
        self._on_lost = on_lost
        self._waiting = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        self.used = True
        self._feed(data)
        self._waiting += len(data)
        if self._waiting > MOST_WAITING:
            pause(self.transport)

    def eof_received(self) -> bool:
        self.eof = True
        self._feed(b"")
        return self.transport.can_write_eof()

    def _feed(self, data: bytes) -> None:
        with contextlib.suppress(RuntimeError):     # after its end
            self.http.receive_data(data)
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._changed.set()
        self._room.set()
        self._on_lost()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    async def event(self) -> Any:
        """Return the next event. Raises `Lost`, and h11's RemoteProtocolError."""
        while True:
            self._changed.clear()
            found = self.http.next_event()
            if found is not h11.NEED_DATA:
                return found
            if self.lost:
                raise Lost
            self._waiting = 0
            resume(self.transport)
            await self._changed.wait()

    async def send(self, event: Any) -> None:
        """Write an event, and wait for room."""
        self.write(event)
        if not self._room.is_set():
            await self._room.wait()

    def write(self, event: Any) -> None:
        """Write an event."""
        data = self.http.send(event)
        if self.lost or self.transport.is_closing():
            raise Lost
        if data:
            self.transport.write(data)

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent."""
        return not self.lost and not self.transport.is_closing() and self.http.our_state is h11.DONE \
            and self.http.their_state is h11.DONE and not self.http.trailing_data[0]
