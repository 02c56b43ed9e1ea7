"""A byte stream made of another one, but for what makes it another: the base of TLS."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, cast

from ygg.errors import ConnectionReset
from ygg.stream.event_loops import SendfileCompatible
from ygg.stream.held import take_over

SMALL, LARGE = 16 * 1024, 256 * 1024
"""Bytes that a layer asks of its carrier at once: few while it is idle, many while it is busy."""

MOST_ANSWERS = 256 * 1024
"""Bytes that a layer answers by itself (key updates, pongs) to a side that reads nothing."""


class LayeredTransport(SendfileCompatible):
    """A stream inside `carrier`, a connection held still, which it takes over with `start()`.

    Reading is paused until resumed, and with it the carrier's, once the handshake of the layer is over: nothing piles
    up. The write buffer is the carrier's.
    """

    def __init__(self, carrier: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._carrier, self._protocol = carrier, protocol
        self._reading = self._closing = False
        self._ended = False
        """Whether nothing comes any more beyond what has come."""
        self._eof_told = False
        self._error: BaseException | None = None
        self._answered = 0
        self.opened: asyncio.Future[None] = self._loop.create_future()
        """Done when the handshake of the layer is."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closing' if self._closing else 'open'} over {self._carrier!r}>"

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
    def _deliver(self) -> None:
        """Give the protocol what there is, while `is_reading()`."""

    @abstractmethod
    def _farewell(self) -> None:
        """Write to the carrier what tells the other side that the stream ends here."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._carrier.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # Reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False
        self._hold()

    def resume_reading(self) -> None:
        if self._reading or self._closing:
            return
        self._reading = True
        if not self._carrier.is_closing():
            self._carrier.resume_reading()
        self._loop.call_soon(self._proceed)

    def _open(self) -> None:
        """The handshake is over: what follows it is the protocol's, which may not be reading yet."""
        if not self.opened.done():
            self.opened.set_result(None)
        if not self._reading:
            self._hold()

    def _hold(self) -> None:
        if not self._carrier.is_closing():
            self._carrier.pause_reading()

    def _proceed(self) -> None:
        """Go on after bytes have come, the stream has ended, or reading is resumed."""
        self._guard(self._deliver)
        if self._ended and self.is_reading() and not self._eof_told:
            self._eof_told = True
            if self._error is not None:
                self.abort()
            else:
                self._guard(self._tell_eof)

    def _tell_eof(self) -> None:
        if not cast(asyncio.Protocol, self._protocol).eof_received():
            self.close()

    def _guard(self, call: Callable[[], None]) -> None:
        """Call what calls the protocol; what that raises ends the stream, and is the program's error."""
        try:
            call()
        except Exception as error:
            context = {"message": "Fatal error: protocol call failed.", "exception": error}
            self._loop.call_exception_handler(context | {"transport": self, "protocol": self._protocol})
            self._force_close(error)

    # Writing

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

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

    # The end

    def is_closing(self) -> bool:
        return self._closing or self._carrier.is_closing()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._carrier.is_closing():
            try:
                self._farewell()
            finally:  # a carrier of somebody's own may raise
                self._carrier.close()

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        self._closing = True
        self._error = self._error or error
        self._carrier.abort()

    def _lose(self, error: BaseException | None) -> None:
        """The carrier is gone."""
        # After a close of our own the carrier may complain about the answer to it: nobody is to hear of that.
        error = self._error if self._closing else self._error or error
        self._closing = True
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionReset())
            self.opened.exception()  # whoever waited may have given up
        self._protocol.connection_lost(cast("Exception | None", error))


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
        self._stream._proceed()

    def eof_received(self) -> bool:
        self._stream._received_eof()
        self._stream._proceed()
        return True  # the protocol may not have read everything, and says what becomes of the other direction

    def connection_lost(self, exc: Exception | None) -> None:
        self._stream._lose(exc)

    def pause_writing(self) -> None:
        self._stream._protocol_paused = True
        self._stream._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._stream._protocol_paused, self._stream._answered = False, 0
        self._stream._protocol.resume_writing()
