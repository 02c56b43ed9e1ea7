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
import contextlib
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ygg.stream.held import HoldingProtocol
from ygg.stream.inbox import Inbox
from ygg.stream.transport import CHUNK, ByteStreamTransport
from ygg.vtun.addresses import endpoint, failure
from ygg.vtun.options import ConnectionOptions
from ygg.vtun.sockets import OverlaySocket
from ygg.vtun.tcpinfo import TcpInfo
from ygg_c.socket.endpoint import CLOSED, DRAINED, EOF, FAILED, READABLE, WRITABLE
from ygg_c.tcp.connection import TcpConnection

if TYPE_CHECKING:
    from ygg.vtun.registry import Registry

_INPUT = READABLE | EOF | FAILED | CLOSED
_ROOM = WRITABLE | DRAINED
_LITTLE = 1 << 14
_NOTHING = Inbox()


class StreamTransport(ByteStreamTransport):
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
        # Known by now, for it has written to us; later it may be forgotten.
        key = registry.reach.key_of(connection.remote[0])
        extra = {"socket": self._socket, "sockname": self._local, "peername": self._remote, "public_key": key}
        super().__init__(protocol, connection, extra)
        self._connection: TcpConnection | None = connection
        self._registry = registry
        self._on_lost = on_lost
        registry.add(self)

    def start(self) -> None:
        """Tell the protocol that the connection is made, and let events come."""
        self._call("connection_made", self)
        connection = self._connection
        if connection is None or self._lost:
            return
        connection.on_event = self._on_event
        if connection.closed:  # it ended before there was a handler, and has no more events
            self._loop.call_soon(self._on_event, FAILED if connection.error else CLOSED)
        elif connection.readable or connection.at_eof:  # likewise what came while the dialling task was not yet back
            self._deliver_soon()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            super().__del__(_warn)
            connection.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of asyncio's transports: "peername", "sockname", "socket"; and "tcp_info", a `TcpInfo` of this moment,
        "options", the `ConnectionOptions` of the connection, and "public_key", the 32-byte key of the node at the other
        end, None where there is no node below.
        """
        if name == "tcp_info" and self._connection is not None:
            return TcpInfo.of(self._connection)
        if name == "options" and self._connection is not None:
            return ConnectionOptions(self._connection)
        return super().get_extra_info(name, default)

    # Events of the stack

    def _on_event(self, events: int) -> None:
        connection = self._connection
        if connection is None:
            return
        if events & _INPUT:
            self._deliver()
        if events & FAILED:
            self._lose(failure(connection.error))
        elif self._closing:
            if events & CLOSED or connection.queued <= connection.send_limit:
                self._lose(None)
        elif events & _ROOM:
            if self._protocol_paused:
                self._resume_writing()
            if not events & _INPUT:
                self._deliver()

    # Reading

    def _deliver(self) -> None:
        connection = self._connection
        if connection is None:
            return
        while self._reading and not self._closing and connection.readable:
            crowded = connection.crowded
            if crowded and connection.queued > connection.write_limit:
                connection.await_room()
                return
            if self._buffered:
                self._deliver_into()
            else:  # as _deliver_some() does, whose call would cost every small message
                data = connection.recv(_LITTLE if crowded else CHUNK)
                try:
                    self._protocol.data_received(data)
                except Exception as error:
                    self._fatal(error, "Fatal error: protocol.data_received() call failed.")
            if crowded and connection.readable:
                self._deliver_soon()  # once the protocol had the time to answer
                return
        if connection.at_eof:
            self._deliver_eof()

    def _at_eof(self) -> bool:
        return self._connection is not None and self._connection.at_eof

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            queued = connection.write(data)
        except OSError:
            return  # it has just failed: the event is on its way
        # As _pause_if_full() does, whose calls would cost every write.
        if queued - connection.write_limit > self._high and not self._protocol_paused:
            self._pause_writing()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def _pause_writing(self) -> None:
        if self._connection is not None:
            self._connection.await_room()
        super()._pause_writing()

    def _send_eof(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it has just failed: the event is on its way
                self._connection.shutdown_write()

    def get_write_buffer_size(self) -> int:
        """Return the bytes queued beyond what stands for the kernel's socket buffer."""
        connection = self._connection
        return 0 if connection is None else max(0, connection.queued - connection.write_limit)

    # The end

    def close(self) -> None:
        connection = self._connection
        if self._closing or connection is None:
            return
        if connection.linger == 0:
            self.abort()
            return
        self._closing = True
        connection.close()
        if connection.closed or connection.queued <= connection.send_limit:
            self._lose(None)

    def abort(self) -> None:
        """End the connection at once, as closing a kernel's socket does; `connection_lost(None)` follows.

        What the socket buffer has taken still leaves, followed by a FIN. The connection is reset where something has
        come and was not read, where more was written than fits there, and with `linger` 0.
        """
        connection = self._connection
        if connection is None or self._lost:
            return
        if connection.queued > connection.write_limit:
            self._force_close(None)
            return
        self._closing = True
        connection.close()
        self._lose(None)

    def _force_close(self, error: BaseException | None) -> None:
        """Reset the connection; `connection_lost(error)` follows."""
        if self._connection is not None and not self._lost:
            self._connection.abort()
            self._lose(error)

    def shut(self, error: BaseException) -> None:
        """The VTun closes: what was written may still leave; `connection_lost(error)` follows."""
        if self._connection is not None and not self._lost:
            self._connection.close()
            self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        if self._connection is not None:
            self._connection.on_event = None
        super()._lose(error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            super()._connection_lost(error)
        finally:
            self._connection = None
            if not isinstance(self._protocol, HoldingProtocol):  # what takes it over hears of the loss
                self._protocol = None
            self._source = _NOTHING
            self._socket.forget()
            self._registry.discard(self)
            if self._on_lost is not None:
                self._on_lost(self)
                self._on_lost = None
