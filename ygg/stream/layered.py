"""A byte stream inside another one: the base of TLS, WebSocket and wrappers.

Theory of operation. A layer takes its carrier over with a protocol of its own (`_Wire`), which gives all bytes of one
read to `_received()`, and then has the base deliver what the layer made of them. There are two phases:

- Until the layer's handshake is over the carrier is always read, whether or not the layer's own protocol reads, for the
  handshake goes on by itself. `_open()` ends this phase, and pauses the carrier unless the protocol reads by then.
- From then on the carrier is paused whenever the layer is: the layer holds no more than one read, and the other side
  is slowed down by a slow reader.

Writing has no queue of its own. What is written is written to the carrier in the same call, so the carrier's buffer and
limits are the layer's, and its `pause_writing` is passed on. What a layer writes by itself, as an answer to what it
reads, could grow without a bound while the other side reads nothing; `_answer()` counts it and ends the connection.

The carrier's end is the layer's. `close()` sends the layer's own end first and closes the carrier, which delivers what
it still holds; `_carrier_lost()` tells the protocol. Each layer tells apart an end that the other side's layer has
announced and an end of the carrier without it.
"""

import asyncio
from abc import abstractmethod
from typing import Any

from ygg.errors import ConnectionReset
from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.transport import ByteStreamTransport, Source

SMALL, LARGE = 16 * 1024, 256 * 1024
"""Bytes that a layer asks of its carrier at once: few while it is idle, many while it is busy."""

MOST_ANSWERS = 256 * 1024
"""Bytes that a layer answers by itself (key updates, pongs) to a side that reads nothing."""


class LayeredTransport(ByteStreamTransport):
    """A stream inside `carrier`, a connection held still, which it takes over with `start()`.

    Reading is paused until resumed, and with it the carrier's, once the handshake of the layer is over: nothing piles
    up. The write buffer is the carrier's, and so are its limits.
    """

    def __init__(self, carrier: asyncio.Transport, protocol: asyncio.BaseProtocol, source: Source) -> None:
        self._carrier = carrier
        super().__init__(protocol, source)
        self._reading = False
        self._error: BaseException | None = None
        self._answered = 0
        self.opened: asyncio.Future[None] = self._loop.create_future()
        """Done when the handshake of the layer is."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state()} over {self._carrier!r}>"

    def start(self) -> None:
        """Take the carrier over."""
        take_over(self._carrier, _Wire(self))

    @abstractmethod
    def _begin(self) -> None:
        """Start the handshake."""

    @abstractmethod
    def _received(self, data: bytes | memoryview) -> None:
        """Take bytes of the carrier, which are gone after the call."""

    @abstractmethod
    def _received_eof(self) -> None:
        """Take the end of what the carrier brings."""

    @abstractmethod
    def _send_end(self) -> None:
        """Write to the carrier what tells the other side that the stream is closed."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._carrier.get_extra_info(name, default)

    # Reading

    def pause_reading(self) -> None:
        super().pause_reading()
        self._pause_carrier()

    def resume_reading(self) -> None:
        if not self._reading and not self._closing and not self._carrier.is_closing():
            self._carrier.resume_reading()
        super().resume_reading()

    def _open(self) -> None:
        """The handshake is over: what follows it is the protocol's, which may not be reading yet."""
        if not self.opened.done():
            self.opened.set_result(None)
        if not self._reading:
            self._pause_carrier()

    def _pause_carrier(self) -> None:
        if not self._carrier.is_closing():
            self._carrier.pause_reading()

    def _finish_reading(self) -> None:
        if self._error is None:
            super()._finish_reading()
        else:
            self.abort()

    # Writing

    def get_write_buffer_size(self) -> int:
        return self._carrier.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._carrier.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._carrier.set_write_buffer_limits(high, low)

    def _answer(self, data: bytes) -> None:
        """Send what the other side has made the layer say, within measure."""
        if self._protocol_paused:
            self._answered += len(data)
            if self._answered > MOST_ANSWERS:
                self._force_close(ConnectionReset("the other side asks and reads no answers"))
        if not self._carrier.is_closing():
            self._carrier.write(data)

    def _resume_writing(self) -> None:
        self._answered = 0
        if not self._lost:
            super()._resume_writing()

    # The end

    def is_closing(self) -> bool:
        return self._closing or self._carrier.is_closing()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._carrier.is_closing():
            try:
                self._send_end()
            finally:  # a carrier of a program's own may raise
                self._carrier.close()

    def _force_close(self, error: BaseException | None) -> None:
        self._closing = True
        self._error = self._error or error
        if not self._lost:  # asyncio's own may raise once they are lost
            self._carrier.abort()

    def _carrier_lost(self, error: BaseException | None) -> None:
        # After a close of our own the carrier may complain about the answer to it, which is of no interest.
        error = self._error if self._closing else self._error or error
        self._closing = self._lost = True
        self._fail_handshake(error or ConnectionReset())
        self._connection_lost(error)
        if not isinstance(self._protocol, HoldingProtocol):
            self._protocol = None  # it may have this stream: neither is to wait for the garbage collector

    def _fail_handshake(self, error: BaseException) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)
            self.opened.exception()  # the one who waited may have given up


class _Wire(asyncio.BufferedProtocol):
    """What the carrier talks to; `data_received` too, for transports that know no buffered protocols."""

    def __init__(self, stream: LayeredTransport) -> None:
        self._stream = stream
        self._space = memoryview(bytearray(SMALL))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream._begin()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._space

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._space[:nbytes])
        if nbytes == len(self._space) < LARGE:
            self._space = memoryview(bytearray(LARGE))

    def data_received(self, data: bytes | memoryview) -> None:
        self._stream._received(data)
        self._stream._deliver()

    def eof_received(self) -> bool:
        self._stream._received_eof()
        self._stream._deliver()
        return True  # the protocol may not have read everything, and says what becomes of the other direction

    def connection_lost(self, exc: Exception | None) -> None:
        self._stream._carrier_lost(exc)

    def pause_writing(self) -> None:
        self._stream._pause_writing()

    def resume_writing(self) -> None:
        self._stream._resume_writing()
