"""A byte stream that is the first stream of a QUIC connection (protocol 0.5, QUIC; RFC 9000).

What is unacknowledged counts as the write buffer, since an end has to wait for it. But a writer is paused by what has
not been sent: congestion control bounds what is under way. Stream and connection end together, in either order: the
stream lets go of the connection then, and what has come can still be read after an end in good order.
"""

import asyncio
import warnings
from typing import Any, Protocol

from ygg.stream.inbox import Inbox
from ygg.stream.transport import ByteStreamTransport

HIGH_WATER = 256 * 1024
"""Bytes not sent above which the writer is paused."""


SocketAddress = tuple[Any, ...]
"""A socket address as the system has it."""


class Connection(Protocol):
    """What a stream asks of its connection."""

    def send(self, stream_id: int, data: bytes, *, end: bool = False) -> None:
        """Queue bytes, and the end of the stream after them."""

    def unacknowledged(self, stream_id: int) -> int:
        """Return the bytes of a stream that the other side has not confirmed."""

    def unsent(self, stream_id: int) -> int:
        """Return the bytes of a stream that have not left, or have to leave again."""

    def end_later(self) -> None:
        """Close the connection when the time for what is under way is over."""

    def end(self, error: BaseException | None) -> None:
        """Close the connection: the stream ends with `error`."""


class QuicStream(ByteStreamTransport):
    """One stream, and with it its connection: they end together."""

    def __init__(
        self,
        link: Connection,
        stream_id: int,
        protocol: asyncio.BaseProtocol,
        sockname: SocketAddress,
        peername: SocketAddress,
    ) -> None:
        self._inbox = Inbox()
        super().__init__(protocol, self._inbox, {"sockname": sockname, "peername": peername})
        self.link: Connection | None = link
        """The connection; None when it has ended."""
        self.stream_id = stream_id
        """Its number in the connection."""
        self.set_write_buffer_limits(HIGH_WATER)

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if getattr(self, "link", None) is not None:  # else it holds nothing, though there may be something to read
            super().__del__(_warn)

    @property
    def unread(self) -> int:
        """Bytes that wait for the protocol."""
        return self._inbox.readable

    # Reading

    def received(self, data: bytes, ended: bool) -> None:
        """Take what the connection brings."""
        self._inbox.append(data)
        self._ended = self._ended or ended
        self._deliver()

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        if self.link is not None:
            self.link.send(self.stream_id, bytes(data))
            self._pause_if_full()

    def can_write_eof(self) -> bool:
        """Tell whether there is another direction: not when the connection has ended."""
        return self.link is not None

    def _send_eof(self) -> None:
        if self.link is not None:
            self.link.send(self.stream_id, b"", end=True)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the other side has not confirmed."""
        return 0 if self.link is None else self.link.unacknowledged(self.stream_id)

    def _queued(self) -> int:
        return 0 if self.link is None else self.link.unsent(self.stream_id)

    def relieve(self) -> None:
        """See whether enough has been sent to go on, or all has been confirmed before the end."""
        if self.link is None:
            return
        if self._closing and self.get_write_buffer_size() == 0:
            self.link.end(None)
        else:
            self._resume_if_drained()

    # The end

    def close(self) -> None:
        if self._closing:
            return
        if not self._eof_written:
            self._send_eof()
        if self._closing:
            return  # the connection has ended over it
        self._closing = True
        if self.link is None:
            self._lose(None)
        else:
            self._loop.call_soon(self.relieve)
            self.link.end_later()

    def _force_close(self, error: BaseException | None) -> None:
        self._closing = True
        if self.link is None:
            self._lose(error)
        else:
            self.link.end(error)

    def connection_ended(self, error: BaseException | None) -> None:
        """The connection has ended; after an end in good order what has come can still be read."""
        if self.link is None:
            return
        self.link = None  # which keeps us
        if error is None and self._inbox.readable and not self._closing:
            self._ended = True
        else:
            self._lose(error)
