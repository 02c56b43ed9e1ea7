"""A byte stream inside the process: two asyncio transports, each the other's remote side."""

import asyncio
import socket
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

from ygg.errors import ConnectionReset
from ygg.stream.event_loops import StartTLSCompatible
from ygg.stream.watermarks import watermarks

HIGH_WATER = 64 * 1024
"""Bytes in flight above which the writer is paused."""

BATCH = 256 * 1024
"""Bytes delivered in one turn of the loop at most, so that one stream does not starve the others."""

Bytes = bytes | bytearray | memoryview
"""What can be written."""


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


class MemoryTransport(StartTLSCompatible, asyncio.Transport):
    """One end of an in-memory stream.

    What one end writes waits at the other end's inbox: that is its write buffer, and the other's receive buffer. As
    with sockets, `close()` and `abort()` let the remote side read what was written before it sees the end of the
    stream, but with unread input they reset the connection.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockname: tuple[Any, ...],
        peername: tuple[Any, ...],
        on_closed: Callable[[], None] | None = None,
    ) -> None:
        sock = MemorySocket(sockname, peername)
        super().__init__({"sockname": sockname, "peername": peername, "socket": sock})
        self._loop = loop
        self._on_closed = on_closed
        self._protocol: asyncio.BaseProtocol = asyncio.Protocol()
        self._peer = self
        self._inbox: deque[bytes] = deque()
        self._inbox_size = 0
        self._taken = 0  # bytes of the first chunk delivered already
        self._reading = True
        self._remote_ended = False
        self._reset = False
        self._eof_seen = False
        self._eof_written = False
        self._closing = False
        self._scheduled = False
        self._writing_paused = False
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4

    def start(self, peer: "MemoryTransport", protocol: asyncio.BaseProtocol) -> None:
        """Join this end to its other end and tell its protocol."""
        self._peer, self._protocol = peer, protocol
        protocol.connection_made(self)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # Reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        if self._inbox or self._remote_ended or self._reset:
            self._wake()

    def _wake(self) -> None:
        if not self._scheduled and not self._closing and (self._reading or self._reset):
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        try:
            self._deliver()
        except Exception as error:
            self._fail(error)

    def _deliver(self) -> None:
        moved = 0
        while self._inbox and self.is_reading() and moved < BATCH:
            moved += self._deliver_some()
        if moved:
            self._peer._relieve()
        if self._closing:
            return
        if self._reset and not (self._inbox and self._reading):
            self._force_close(ConnectionReset())
        elif self._inbox or not self._reading:
            self._wake()
        elif self._remote_ended and not self._eof_seen:
            self._eof_seen = True
            if not cast(asyncio.Protocol, self._protocol).eof_received():
                self.close()

    def _deliver_some(self) -> int:
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            room = memoryview(cast(bytearray, protocol.get_buffer(self._inbox_size))).cast("B")
            if not room:
                raise RuntimeError("get_buffer() returned an empty buffer")
            count = self._fill(room)
            protocol.buffer_updated(count)
            return count
        data = self._take()
        cast(asyncio.Protocol, protocol).data_received(data)
        return len(data)

    def _take(self) -> bytes:
        chunks = [self._inbox.popleft()[self._taken :]]
        size, self._taken = len(chunks[0]), 0
        while self._inbox and size + len(self._inbox[0]) <= BATCH:
            chunks.append(self._inbox.popleft())
            size += len(chunks[-1])
        self._inbox_size -= size
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _fill(self, room: memoryview) -> int:
        done = 0
        while self._inbox and done < len(room):
            piece = memoryview(self._inbox[0])[self._taken : self._taken + len(room) - done]
            room[done : done + len(piece)] = piece
            done += len(piece)
            self._taken += len(piece)
            if self._taken == len(self._inbox[0]):
                self._inbox.popleft()
                self._taken = 0
        self._inbox_size -= done
        return done

    # Writing

    def write(self, data: Bytes) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data: expecting a bytes-like instance, got {type(data).__name__}")
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        peer = self._peer
        if peer._closing:
            # Nobody will read it: a kernel answers such a segment with a reset.
            self._reset = True
            self._wake()
            return
        chunk = bytes(data)
        peer._inbox.append(chunk)
        peer._inbox_size += len(chunk)
        peer._wake()
        if peer._inbox_size > self._high and not self._writing_paused:
            self._writing_paused = True
            self._call(self._protocol.pause_writing)

    def writelines(self, list_of_data: Iterable[Bytes]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._eof_written:
            return
        self._eof_written = True
        self._peer._remote_ended = True
        self._peer._wake()

    def get_write_buffer_size(self) -> int:
        return self._peer._inbox_size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._low, self._high = watermarks(high, low, HIGH_WATER)

    def _relieve(self) -> None:
        if self._writing_paused and self._peer._inbox_size <= self._low:
            self._writing_paused = False
            self._call(self._protocol.resume_writing)

    # Closing

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._force_close(None)

    def abort(self) -> None:
        self._force_close(None)

    def reset(self) -> None:
        """End the connection as the kernel does one that nobody has accepted."""
        self._force_close(None, reset=True)

    def _force_close(self, error: Exception | None, *, reset: bool = False) -> None:
        if self._closing:
            return
        self._closing = True
        reset = reset or bool(self._inbox)
        self._inbox.clear()
        self._inbox_size = self._taken = 0
        if reset:
            self._peer._reset = True
        else:
            self._peer._remote_ended = True
        self._peer._wake()
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        if self._on_closed is not None:
            self._on_closed()
        self._call(self._protocol.connection_lost, error)

    def _call(self, method: Callable[..., object], *args: object) -> None:
        try:
            method(*args)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        context = {"message": "Fatal error: protocol call failed.", "exception": error}
        self._loop.call_exception_handler(context | {"transport": self, "protocol": self._protocol})
        self._force_close(error)

    def __repr__(self) -> str:
        state = "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} {self._extra['sockname']} -> {self._extra['peername']}>"  # type: ignore[attr-defined]

    def __del__(self) -> None:
        if not getattr(self, "_closing", True):
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=2, source=self)
