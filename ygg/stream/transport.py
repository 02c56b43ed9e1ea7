"""The base of our byte-stream transports.

Theory of operation. What has come waits in a `Source` until the protocol takes it. A subclass calls `_deliver()` when
something has come or the stream has ended; it goes on until the source is empty or the protocol pauses, and tells the
end of the stream once, when all before it has been read. What is written goes to `_send()` at once. A subclass with a
queue of its own calls `_pause_if_full()` when it has grown and `_resume_if_drained()` when it has shrunk. When the
stream is over, however it ended, the subclass calls `_lose()`, and the protocol hears `connection_lost` once.

What a protocol raises goes to the loop's exception handler. Where it was given bytes or the end of the stream, the
connection ends with it, since what the protocol has seen is unknown then. `pause_writing` and `resume_writing` are
hints, and nothing is lost but a hint. asyncio's own transports do the same.
"""

import asyncio
import logging
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ygg.stream.event_loops import SendfileCompatible, StartTLSCompatible
from ygg.stream.watermarks import watermarks

logger = logging.getLogger("ygg.stream")

HIGH_WATER = 64 * 1024
"""Bytes queued above which a writer is paused, unless it sets another limit; asyncio's own default."""
CHUNK = 1 << 20
"""Bytes that a protocol without a buffer is given at once, about."""

_WARN_AFTER_WRITES = 5  # asyncio.constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES
_BYTES = (bytes, bytearray, memoryview)


class Source(Protocol):
    """Bytes that have come and wait to be read."""

    @property
    def readable(self) -> int:
        """Bytes to be read; where that is not known before, anything but 0 when there may be some."""

    def recv(self, limit: int, /) -> bytes:
        """Take `limit` bytes or fewer, where chunks are kept whole a chunk at least."""

    def recv_into(self, space: memoryview, /) -> int:
        """Take as many bytes as there are and `space` holds, and return how many."""


class ByteStreamTransport(StartTLSCompatible, SendfileCompatible):
    """A byte stream in asyncio's shape; see above for what a subclass adds."""

    def __init__(
        self, protocol: asyncio.BaseProtocol, source: Source, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(extra)
        self._source = source
        self._reading = True
        self._closing = self._lost = False
        self._ended = False
        """Whether nothing comes any more beyond what has come."""
        self._eof_told = self._eof_written = False
        self._delivering_soon = False
        self._writes_lost = 0
        self._low, self._high = watermarks(None, None, HIGH_WATER)
        self.set_protocol(protocol)

    def __repr__(self) -> str:
        sockname, peername = self.get_extra_info("sockname"), self.get_extra_info("peername")
        return f"<{type(self).__name__} {self._state()} {sockname} → {peername}>"

    def _state(self) -> str:
        return "closed" if self._lost else "closing" if self._closing else "open"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if not getattr(self, "_closing", True):
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)

    # What a subclass does

    @abstractmethod
    def _send(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, or queue them; the object may be changed after the call."""

    @abstractmethod
    def _send_eof(self) -> None:
        """Tell the other side that nothing comes after what was written."""

    @abstractmethod
    def _force_close(self, error: BaseException | None) -> None:
        """End the stream at once, with `error` for the protocol. asyncio's TLS calls it too."""

    def _queued(self) -> int:
        """Return the bytes that the write limits are about."""
        return self.get_write_buffer_size()

    def _at_eof(self) -> bool:
        """Tell whether the stream has ended and all of it has been read."""
        return self._ended and not self._source.readable

    # Protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol: Any = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call a method of the protocol and return its result; what it raises ends the connection."""
        try:
            return getattr(self._protocol, name)(*arguments)
        except Exception as error:
            self._fatal(error, f"Fatal error: protocol.{name}() call failed.")
            return None

    def _notify(self, name: str) -> None:
        """Call a method of the protocol; what it raises is reported and no more."""
        try:
            getattr(self._protocol, name)()
        except Exception as error:
            self._report(error, f"protocol.{name}() failed")

    def _fatal(self, error: Exception, message: str) -> None:
        """End the connection over a fault of the program."""
        self._report(error, message)
        self._force_close(error)

    def _report(self, error: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )

    # Reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if self._reading or self._closing:
            return
        self._reading = True
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        """Deliver in the loop's next turn."""
        if not self._delivering_soon:
            self._delivering_soon = True
            self._loop.call_soon(self._deliver_now)

    def _deliver_now(self) -> None:
        self._delivering_soon = False
        self._deliver()

    def _deliver(self) -> None:
        """Give the protocol everything that is there, unless and until it pauses or closes, and then the end."""
        source = self._source
        while source.readable and self._reading and not self._closing:
            self._deliver_some()
        self._deliver_eof()

    def _deliver_some(self, limit: int = CHUNK) -> int:
        """Give the protocol something of what is there; return the number of bytes."""
        if self._buffered:
            return self._deliver_into()
        data = self._source.recv(limit)
        if data:
            try:
                self._protocol.data_received(data)
            except Exception as error:
                self._fatal(error, "Fatal error: protocol.data_received() call failed.")
        return len(data)

    def _deliver_into(self) -> int:
        # Each call is guarded here, not with _call(), which would cost every small message.
        protocol = self._protocol
        try:
            space = memoryview(protocol.get_buffer(self._source.readable)).cast("B")
            if not space:
                raise RuntimeError("get_buffer() returned an empty buffer")
        except Exception as error:
            self._fatal(error, "Fatal error: protocol.get_buffer() call failed.")
            return 0
        if self._closing:
            return 0
        try:
            count = self._source.recv_into(space)
        except Exception as error:
            self._fatal(error, "Fatal error: protocol.get_buffer() has returned a buffer that cannot be written to.")
            return 0
        if count:
            try:
                protocol.buffer_updated(count)
            except Exception as error:
                self._fatal(error, "Fatal error: protocol.buffer_updated() call failed.")
        return count

    def _deliver_eof(self) -> None:
        if not self._eof_told and self._at_eof() and self.is_reading():
            self._eof_told = True
            self._finish_reading()

    def _finish_reading(self) -> None:
        """Tell the protocol of the end; it may keep the other direction open where there are two."""
        if not (self._call("eof_received") and self.can_write_eof()):
            self.close()

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, _BYTES):
            raise TypeError(f"data: expecting a bytes-like instance, got {type(data).__name__}")
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing:
            self._write_lost()
        elif data:
            self._send(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def _write_lost(self) -> None:
        if self._writes_lost >= _WARN_AFTER_WRITES:
            # As text: some handlers keep records, and a record must not keep the connection and its node.
            logger.warning("written to a closed connection: %s", repr(self))
        self._writes_lost += 1

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._closing and not self._eof_written:
            self._eof_written = True
            self._send_eof()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._low, self._high = watermarks(high, low, HIGH_WATER)
        self._pause_if_full()

    def _pause_if_full(self) -> None:
        if not self._protocol_paused and self._queued() > self._high:
            self._pause_writing()

    def _resume_if_drained(self) -> None:
        if self._protocol_paused and self._queued() <= self._low:
            self._resume_writing()

    def _pause_writing(self) -> None:
        self._protocol_paused = True
        self._notify("pause_writing")

    def _resume_writing(self) -> None:
        self._protocol_paused = False
        self._notify("resume_writing")

    # The end

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        self._force_close(None)

    def _lose(self, error: BaseException | None) -> None:
        """The stream is over: tell the protocol, in the loop's next turn."""
        if not self._lost:
            self._lost = self._closing = True
            self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        self._protocol.connection_lost(error)
