"""asyncio.Transport over a TCP connection of the stack.

Theory of operation. The stack tells what happened once for each batch of packets (`_on_event`), from inside the node's
turn: what a protocol writes from there leaves in the same turn. Nothing is buffered here. What arrived stays in the
connection until the protocol takes it, so a paused protocol closes the TCP window; what is written goes straight to
the connection's queue, by reference.

The connection's `write_limit` (its `send_limit`, or less when its peer holds much of the stack's memory) stands for
the kernel's socket buffer, and what is queued beyond it for asyncio's write buffer: `pause_writing` comes when that
part exceeds the high-water mark, `resume_writing` when the stack says that half of the limit is free again. Likewise
`connection_lost` follows `close()` as soon as the rest fits into `send_limit`; the stack delivers it, and the FIN,
alone.

What a protocol has been given is not the stack's to limit. So while a peer's node does not take what is sent to it,
and what waits for it fills its part of the stack's memory (`crowded`), the connections that it opened deliver little at
a time, and nothing to a protocol that has much to send: otherwise answers, and requests in readers behind them, would
pile up. Connections that were dialed here deliver as ever: what is queued there, the program has asked for.
"""

import asyncio
import logging
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ygg.stream.event_loops import SendfileCompatible, StartTLSCompatible
from ygg.stream.watermarks import watermarks
from ygg.vtun.names import endpoint, failure
from ygg.vtun.sockets import OverlaySocket
from ygg.vtun.tcpinfo import TcpInfo
from ygg_c.endpoint import CLOSED, DRAINED, EOF, FAILED, READABLE, WRITABLE
from ygg_c.tcp.connection import TcpConnection

if TYPE_CHECKING:
    from ygg.vtun.registry import Registry

logger = logging.getLogger("ygg.vtun")

_INPUT = READABLE | EOF | FAILED | CLOSED
_ROOM = WRITABLE | DRAINED
_CHUNK = 1 << 20
_LITTLE = 1 << 14
_HIGH_WATER = 64 * 1024  # asyncio's own default
_WARN_AFTER_WRITES = 5  # asyncio.constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES


class StreamTransport(StartTLSCompatible, SendfileCompatible):
    """One TCP connection as asyncio sees it. Made by VTun; call `start` once."""

    def __init__(
        self,
        connection: TcpConnection,
        protocol: asyncio.BaseProtocol,
        registry: "Registry",
        on_lost: Callable[["StreamTransport"], None] | None = None,
    ) -> None:
        self._local, self._remote = endpoint(*connection.local), endpoint(*connection.remote)
        self._socket = OverlaySocket(connection, self._local, self._remote)
        super().__init__({"socket": self._socket, "sockname": self._local, "peername": self._remote})
        self._connection: TcpConnection | None = connection
        self._registry = registry
        self._on_lost = on_lost
        self._closing = self._lost = False
        self._paused = self._eof_told = self._eof_written = False
        self._reading_soon = False
        self._writes_lost = 0
        self._low, self._high = _HIGH_WATER // 4, _HIGH_WATER
        # Like asyncio's own: whoever writes small pieces wants them sent.
        connection.nodelay = True
        self.set_protocol(protocol)
        registry.add(self)

    def start(self) -> None:
        """Tell the protocol that the connection is made, and let events come."""
        self._tell("connection_made", self._protocol.connection_made, self)
        connection = self._connection
        if connection is None or self._lost:
            return
        connection.on_event = self._on_event
        if connection.closed:  # it ended before anybody listened, and tells no more
            self._loop.call_soon(self._on_event, FAILED if connection.error else CLOSED)
        elif connection.readable or connection.at_eof:  # likewise what came while the dialling task was not yet back
            self._loop.call_soon(self._read)

    def __repr__(self) -> str:
        state = "closed" if self._connection is None else "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} {self._local[:2]} → {self._remote[:2]}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            connection.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of asyncio's transports: "peername", "sockname", "socket"; and "tcp_info", a `TcpInfo` of this moment."""
        if name == "tcp_info" and self._connection is not None:
            return TcpInfo.of(self._connection)
        return super().get_extra_info(name, default)

    # Protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol: Any = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _tell(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """Call the protocol; what it raises ends the connection and goes to the loop's exception handler."""
        try:
            return method(*arguments)
        except Exception as error:
            self._fatal(error, f"Fatal error: protocol.{name}() call failed.")
            return None

    def _fatal(self, error: Exception, message: str) -> None:
        self._report(error, message)
        self.fail(error)

    def _report(self, error: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )

    # Events of the stack

    def _on_event(self, events: int) -> None:
        connection = self._connection
        if connection is None:
            return
        if events & _INPUT:
            self._read()
        if events & FAILED:
            self._lose(failure(connection.error))
        elif self._closing:
            if events & CLOSED or connection.queued <= connection.send_limit:
                self._lose(None)
        elif events & _ROOM:
            if self._protocol_paused:
                self._resume_writing()
            if not events & _INPUT:
                self._read()

    def _read(self) -> None:
        """Give the protocol everything that is there, unless and until it pauses or closes."""
        connection = self._connection
        if connection is None:
            return
        while not (self._paused or self._closing) and connection.readable:
            crowded = connection.crowded
            if crowded and connection.queued > connection.write_limit:
                connection.await_room()
                return
            if self._buffered:
                self._read_into(connection)
            else:
                data = connection.recv(_LITTLE if crowded else _CHUNK)
                try:    # as in _tell(), whose call would cost every small message
                    self._protocol.data_received(data)
                except Exception as error:
                    self._fatal(error, "Fatal error: protocol.data_received() call failed.")
            if crowded and connection.readable:
                self._read_soon()
                return
        if connection.at_eof and not (self._paused or self._closing or self._eof_told):
            self._eof_told = True
            if not self._tell("eof_received", self._protocol.eof_received):
                self.close()

    def _read_soon(self) -> None:
        """Read more once the protocol had the time to answer."""
        if not self._reading_soon:
            self._reading_soon = True
            self._loop.call_soon(self._read_now)

    def _read_now(self) -> None:
        self._reading_soon = False
        self._read()

    def _read_into(self, connection: TcpConnection) -> None:
        buffer = self._tell("get_buffer", self._protocol.get_buffer, -1)
        if self._closing:
            return
        try:
            if not len(buffer):
                raise RuntimeError("get_buffer() returned an empty buffer")
            count = connection.recv_into(buffer)
        except Exception as error:
            self._fatal(error, "Fatal error: protocol.get_buffer() call failed.")
            return
        self._tell("buffer_updated", self._protocol.buffer_updated, count)

    # Reading

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        if not self._closing:
            self._paused = True

    def resume_reading(self) -> None:
        connection = self._connection
        if self._closing or not self._paused or connection is None:
            return
        self._paused = False
        if connection.readable or connection.at_eof:
            self._loop.call_soon(self._read)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        connection = self._connection
        if self._closing or connection is None:
            self._write_lost()
            return
        try:
            queued = connection.write(data)
        except OSError:
            return  # it has just failed: the event is on its way
        if queued > self._high and queued - connection.write_limit > self._high:
            self._pause_writing(connection)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def _write_lost(self) -> None:
        if self._writes_lost >= _WARN_AFTER_WRITES:
            logger.warning("written to a closed connection: %r", self)
        self._writes_lost += 1

    def _pause_writing(self, connection: TcpConnection) -> None:
        if self._protocol_paused or connection.queued - connection.write_limit <= self._high:
            return
        self._protocol_paused = True
        connection.await_room()
        try:
            self._protocol.pause_writing()
        except Exception as error:
            self._report(error, "protocol.pause_writing() failed")

    def _resume_writing(self) -> None:
        self._protocol_paused = False
        try:
            self._protocol.resume_writing()
        except Exception as error:
            self._report(error, "protocol.resume_writing() failed")

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._eof_written or self._connection is None:
            return
        self._eof_written = True
        try:
            self._connection.shutdown_write()
        except OSError:
            return  # it has just failed: the event is on its way

    def get_write_buffer_size(self) -> int:
        """Return the bytes queued beyond what stands for the kernel's socket buffer."""
        connection = self._connection
        return 0 if connection is None else max(0, connection.queued - connection.write_limit)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._low, self._high = watermarks(high, low, _HIGH_WATER)
        if self._connection is not None:
            self._pause_writing(self._connection)

    # The end

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        connection = self._connection
        if self._closing or connection is None:
            return
        if self._socket.linger == 0:
            self.abort()
            return
        self._closing = True
        connection.close()
        if connection.closed or connection.queued <= connection.send_limit:
            self._lose(None)

    def abort(self) -> None:
        self.fail(None)

    def fail(self, error: BaseException | None) -> None:
        """Reset the connection; `connection_lost(error)` follows."""
        if self._connection is not None and not self._lost:
            self._connection.abort()
            self._lose(error)

    _force_close = fail     # the name that asyncio's TLS calls

    def shut(self, error: BaseException) -> None:
        """The VTun closes: what was written may still leave; `connection_lost(error)` follows."""
        if self._connection is not None and not self._lost:
            self._connection.close()
            self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        if self._connection is not None:
            self._connection.on_event = None
        self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._connection = None
            self._protocol = None
            self._socket.forget()
            self._registry.discard(self)
            if self._on_lost is not None:
                self._on_lost(self)
                self._on_lost = None
