"""A byte stream inside the process: two asyncio transports, each the other's remote side."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from ygg.errors import ConnectionReset
from ygg.stream.inbox import Inbox
from ygg.stream.transport import ByteStreamTransport

BATCH = 256 * 1024
"""Bytes delivered in one turn of the loop at most, so that one stream does not starve the others."""

class MemorySocket:
    """What code that asks a transport for its socket usually wants of it; it has no descriptor."""

    type = socket.SOCK_STREAM
    """As of a TCP socket."""
    proto = socket.IPPROTO_TCP
    """As of a TCP socket."""

    def __init__(self, sockname: tuple[Any, ...], peername: tuple[Any, ...]) -> None:
        self.family = socket.AF_INET6 if len(sockname) == 4 else socket.AF_INET
        """That of its addresses."""
        self._sockname, self._peername = sockname, peername

    def getsockname(self) -> tuple[Any, ...]:
        """Return this end's address."""
        return self._sockname

    def getpeername(self) -> tuple[Any, ...]:
        """Return the other end's address."""
        return self._peername

    def getsockopt(self, level: int, option: int, buflen: int = 0) -> int | bytes:
        """Return zero, whatever the option."""
        return bytes(buflen) if buflen else 0

    def setsockopt(self, level: int, option: int, value: object, optlen: int = 0) -> None:
        """Do nothing: memory has no options."""

    def fileno(self) -> int:
        """Return -1: there is no file descriptor."""
        return -1


class MemoryTransport(ByteStreamTransport):
    """One end of an in-memory stream.

    What one end writes waits at the other end's inbox: that is its write buffer, and the other's receive buffer. As
    with sockets, `close()` and `abort()` let the remote side read what was written before it sees the end of the
    stream, but with unread input they reset the connection.
    """

    def __init__(
        self, sockname: tuple[Any, ...], peername: tuple[Any, ...], on_closed: Callable[[], None] | None = None
    ) -> None:
        sock = MemorySocket(sockname, peername)
        self._inbox = Inbox()
        super().__init__(
            asyncio.Protocol(), self._inbox, {"sockname": sockname, "peername": peername, "socket": sock}
        )
        self._on_closed = on_closed
        self._peer = self
        self._reset = False

    def start(self, peer: "MemoryTransport", protocol: asyncio.BaseProtocol) -> None:
        """Join this end to its other end and tell its protocol."""
        self._peer = peer
        self.set_protocol(protocol)
        protocol.connection_made(self)

    # Reading

    def _wake(self) -> None:
        if not self._closing and (self._reading or self._reset):
            self._deliver_soon()

    def _deliver(self) -> None:
        moved = 0
        while self._inbox.readable and self.is_reading() and moved < BATCH:
            moved += self._deliver_some(BATCH)
        if moved:
            self._peer._resume_if_drained()
        if self._closing:
            return
        if self._reset and not (self._inbox.readable and self._reading):
            self._force_close(ConnectionReset())
        elif self._inbox.readable:
            self._wake()
        else:
            self._deliver_eof()

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        peer = self._peer
        if peer._closing:
            # Nothing will read it: a kernel answers such a segment with a reset.
            self._reset = True
            self._wake()
            return
        peer._inbox.append(bytes(data))
        peer._wake()
        self._pause_if_full()

    def _send_eof(self) -> None:
        self._peer._ended = True
        self._peer._wake()

    def get_write_buffer_size(self) -> int:
        return self._peer._inbox.readable

    # The end

    def close(self) -> None:
        self._force_close(None)

    def reset(self) -> None:
        """End the connection as the kernel does one that has not been accepted."""
        self._force_close(None, reset=True)

    def _force_close(self, error: BaseException | None, *, reset: bool = False) -> None:
        if self._closing:
            return
        self._closing = True
        reset = reset or bool(self._inbox.readable)
        self._inbox.clear()
        if reset:
            self._peer._reset = True
        else:
            self._peer._ended = True
        self._peer._wake()
        self._lose(error)

    def _connection_lost(self, error: BaseException | None) -> None:
        if self._on_closed is not None:
            self._on_closed()
        super()._connection_lost(error)
