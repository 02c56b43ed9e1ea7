"""Two connections as one: what comes from each goes to the other, to its end.

Theory of operation. Bytes that the system's sockets bring come as `bytes` objects, which a VTun sends by reference.
What a VTun brings is read into a buffer that all pairs of a service share, as the system's sockets take most of it at
once; where a transport has kept some of it (by reference, in some versions) it keeps the buffer, and the next read gets
another. So each direction holds one read and the write buffer's limit at most: `pause_writing` of one side pauses the
other, where the bytes then wait in the kernel, or in the VTun's receive queue.

The end of a stream is passed on as one, and the other direction goes on. An end by an error is passed on as a reset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from ygg.proxy.sockets import pause, reset, resume
from ygg.stream.held import take_over
from ygg.stream.transport import ByteStreamTransport

SPACE = 256 * 1024
"""Bytes that are read at once at most, as asyncio's own transports do."""


class Space:
    """A buffer for reads that are passed on at once, renewed where a transport has kept the last one."""

    def __init__(self) -> None:
        self._view = memoryview(bytearray(SPACE))

    @property
    def view(self) -> memoryview:
        """The buffer."""
        return self._view

    def renew(self) -> None:
        """Leave the buffer to those who still have it."""
        self._view = memoryview(bytearray(SPACE))


class Half:
    """One of the two connections of a pair, and the protocol of it."""

    def __init__(self, pair: Pair, transport: asyncio.Transport) -> None:
        self._pair = pair
        self.transport = transport
        """The connection."""
        self.other: Half | None = None
        """The other half, until it is lost."""
        self.count = 0
        """Bytes that came."""
        self.eof = False
        """Whether the stream has ended."""
        self.lost = False
        """Whether the connection is gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is to be done: the pair knows it."""

    def pause_writing(self) -> None:
        """Have nothing more come that would be written here."""
        if self.other is not None:
            pause(self.other.transport)

    def resume_writing(self) -> None:
        """Go on."""
        if self.other is not None:
            resume(self.other.transport)

    def eof_received(self) -> bool:
        """Pass the end on; keep the other direction open where there are two."""
        self.eof = True
        self._pair.ended(self)
        return self.transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        """Pass the loss on."""
        self.lost = True
        self._pair.lost(self, error)
        self.other = None


class BytesHalf(Half, asyncio.Protocol):
    """Of a socket of the system."""

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, by reference."""
        self.count += len(data)
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)


class BufferHalf(Half, asyncio.BufferedProtocol):
    """Of a VTun."""

    def __init__(self, pair: Pair, transport: asyncio.Transport, space: Space) -> None:
        super().__init__(pair, transport)
        self._space = space

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer that all share."""
        return self._space.view

    def buffer_updated(self, nbytes: int) -> None:
        """Pass bytes on."""
        self.count += nbytes
        if self.other is None or self.other.transport.is_closing():
            return
        transport = self.other.transport
        transport.write(self._space.view[:nbytes])
        if transport.get_write_buffer_size():
            self._space.renew()


class Pair:
    """Two connections, both held still until `start()`; `over()` is called once both are gone."""

    def __init__(
        self, near: asyncio.Transport, far: asyncio.Transport, space: Space, over: Callable[[], object]
    ) -> None:
        self.near, self.far = self._half(near, space), self._half(far, space)
        """The accepted connection, and the one that was made for it."""
        self.near.other, self.far.other = self.far, self.near
        self._over = over

    def _half(self, transport: asyncio.Transport, space: Space) -> BytesHalf | BufferHalf:
        if isinstance(transport, ByteStreamTransport):
            return BufferHalf(self, transport, space)
        return BytesHalf(self, transport)

    def start(self) -> None:
        """Take both over."""
        take_over(self.near.transport, cast(Any, self.near))
        take_over(self.far.transport, cast(Any, self.far))

    @property
    def half_closed(self) -> bool:
        """Whether one side has ended its stream."""
        return self.near.eof or self.far.eof

    @property
    def count(self) -> int:
        """Bytes that came from either side."""
        return self.near.count + self.far.count

    def abort(self) -> None:
        """End both at once."""
        for half in (self.near, self.far):
            if not half.lost:
                reset(half.transport)

    def ended(self, half: Half) -> None:
        """Take the end of what one side sends."""
        other = half.other
        if other is None or other.transport.is_closing():
            return
        if not other.transport.can_write_eof():  # TLS has no half of a connection
            other.transport.close()
            half.transport.close()
            return
        other.transport.write_eof()
        if other.eof:
            other.transport.close()
            half.transport.close()

    def lost(self, half: Half, error: Exception | None) -> None:
        """Take the loss of one side."""
        other = half.other
        if other is None or other.lost:
            self._over()
        elif not other.transport.is_closing() or not (error is None or half.eof):
            reset(other.transport)  # else it sends what it still has, for all of that has come
