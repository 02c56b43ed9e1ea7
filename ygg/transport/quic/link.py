"""A QUIC connection that carries one byte stream, over a datagram port of a network.

`aioquic` speaks the protocol. Its own transports have neither flow control nor an end, and it lets a sender go on
however little its reader takes. So datagrams are dropped, as by a full socket buffer, while too much waits to be read.

A connection ends in two steps. With `end()` it is closed: timers stop, the stream is told, and a CONNECTION_CLOSE frame
leaves (RFC 9000, 10.2). aioquic then waits for its draining period, and reports `ConnectionTerminated`. From there on,
or from `discard()` or the loss of the port, nothing more is sent, and what holds memory is released.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    HandshakeCompleted,
    QuicEvent,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)

from ygg.errors import ConnectionReset, from_os_error
from ygg.stream.held import HoldingProtocol
from ygg.transport.quic.stream import QuicStream, SocketAddress
from ygg.transport.quiet import QuietLogger

logger = logging.getLogger("ygg.transport")
_library_logger = QuietLogger(logging.getLogger("ygg.transport.aioquic"))

KEEPALIVE = 20.0
"""Seconds between pings."""
LINGER = 5.0
"""Seconds that what was written before a close has to arrive."""
MOST_UNREAD = 1024 * 1024
"""Bytes not read above which datagrams are dropped."""


class Port:
    """The sending side of a datagram port, as a connection knows it: to one address, or to the one given."""

    def __init__(self, transport: asyncio.DatagramTransport, *, connected: bool) -> None:
        self._transport, self._connected = transport, connected

    def sendto(self, data: bytes, address: SocketAddress) -> None:
        """Send a datagram; a connected port has the one destination, whatever `address` says."""
        if not self._transport.is_closing():
            self._transport.sendto(data, None if self._connected else address)


class QuicLink(QuicConnectionProtocol):
    """A connection of which one stream is used: the first that its client opens."""

    def __init__(self, quic: QuicConnection, sockname: SocketAddress, on_gone: Callable[[QuicLink], None]) -> None:
        quic._logger.logger = _library_logger  # it takes none: its own tells of each connection at INFO
        super().__init__(quic)
        self._sockname, self._on_gone = sockname, on_gone
        self._client = quic.configuration.is_client
        self._peer: SocketAddress = ()
        self._keepalive: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self.stream: QuicStream | None = None
        """The stream that carries the link, once open."""
        self.ended = self._released = False
        """Whether the connection is closed."""
        self.opened: asyncio.Future[QuicStream] = self._loop.create_future()
        """Done when there is a stream."""

    @property
    def remote_host(self) -> str:
        """The other side's address; empty before its first datagram."""
        return str(self._peer[0]) if self._peer else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, Port):  # the network's own transport is attached in its place
            super().connection_made(cast(Any, transport))

    def attach(self, port: Port, sockname: SocketAddress) -> None:
        """Send through `port`."""
        self._sockname = sockname
        self.connection_made(cast(Any, port))

    def dial(self, address: SocketAddress) -> None:
        """Start the handshake."""
        self._peer = address
        self.connect(address)

    def datagram_received(self, data: bytes | str, addr: SocketAddress) -> None:
        if self.ended or (self.stream is not None and self.stream.unread > MOST_UNREAD):
            return
        if not self._client:
            self._peer = self._peer or addr
        self._guard(super().datagram_received, data, self._peer if self._client else addr)

    def error_received(self, exc: Exception) -> None:
        """Take the report that a port has no listener; other reports about single datagrams mean little."""
        if isinstance(exc, ConnectionRefusedError) and not self.opened.done():
            self.end(from_os_error(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(ConnectionReset() if exc is None else exc)
        self._release()

    def transmit(self) -> None:
        if self._released:
            return
        self._guard(super().transmit)
        if self.stream is not None:
            self.stream.relieve()

    def _handle_timer(self) -> None:
        self._guard(super()._handle_timer)

    def _guard(self, call: Callable[..., None], *arguments: object) -> None:
        """Call the library, which is not as careful as one could wish: where it fails, the connection ends."""
        try:
            call(*arguments)
        except Exception as error:
            logger.debug("QUIC connection with %s: %r", self._peer, error)
            if self.ended:
                self._release()  # it failed at closing the connection
            else:
                self.end(ConnectionReset(f"QUIC error: {error}"))

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, HandshakeCompleted):
            self._keep_alive()
            if self._client:
                self._open(self._quic.get_next_available_stream_id())
        elif isinstance(event, StreamDataReceived):
            if self.stream is None and not self._client and event.stream_id % 4 == 0:
                self._open(event.stream_id)
            if self.stream is not None and event.stream_id == self.stream.stream_id:
                self.stream.received(event.data, event.end_stream)
        elif isinstance(event, StreamReset | StopSendingReceived):
            # A side that reads no more ends it as well: a link has no use for one direction.
            if self.stream is not None and event.stream_id == self.stream.stream_id:
                self.end(ConnectionReset())
        elif isinstance(event, ConnectionTerminated):
            reason = event.reason_phrase or f"code {event.error_code}"
            self.end(None if event.error_code == 0 else ConnectionReset(f"QUIC connection closed: {reason}"))
            self._release()

    def _open(self, stream_id: int) -> None:
        holding = HoldingProtocol()
        self.stream = QuicStream(self, stream_id, holding, self._sockname, self._peer)
        holding.connection_made(self.stream)
        if not self.opened.done():
            self.opened.set_result(self.stream)

    def _keep_alive(self) -> None:
        """Keep the connection from idling out."""
        self._keepalive = self._loop.call_later(KEEPALIVE, self._keep_alive)
        self._quic.send_ping(0)
        self.transmit()

    # For the stream

    def send(self, stream_id: int, data: bytes, *, end: bool = False) -> None:
        """Queue bytes, and see them off in this turn of the loop."""
        self._guard(self._quic.send_stream_data, stream_id, data, end)
        self._transmit_soon()

    def unacknowledged(self, stream_id: int) -> int:
        """Return the bytes of a stream that the other side has not confirmed."""
        stream = self._quic._streams.get(stream_id)
        return 0 if stream is None else len(stream.sender._buffer)

    def unsent(self, stream_id: int) -> int:
        """Return the bytes of a stream that have not left, or have to leave again."""
        stream = self._quic._streams.get(stream_id)
        return 0 if stream is None else sum(len(part) for part in stream.sender._pending)

    def end_later(self) -> None:
        """Close the connection when the time for what is under way is over."""
        self._linger = self._loop.call_later(LINGER, self.end, None)

    def end(self, error: BaseException | None) -> None:
        """Close the connection, unless it is: the stream, if there is one, ends with `error`."""
        if self.ended:
            return
        self.ended = True
        for timer in (self._keepalive, self._linger):
            if timer is not None:
                timer.cancel()
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionReset())
            self.opened.exception()  # the dial that waited may have been cancelled
        if self.stream is not None:
            self.stream.connection_ended(error)
        self.close()

    def discard(self) -> None:
        """Close a connection without a stream, skip its draining period, and free what it holds."""
        self.end(None)
        self._release()
        vars(self._quic).clear()  # at once, for many may come and go in one turn of the loop

    def _release(self) -> None:
        """Send nothing more, and let go of what refers to us and to aioquic's parts."""
        if self._released:
            return
        self._released = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._connection_terminated_handler()
        # They refer to us, and what they refer to would wait for the garbage collector.
        self._connection_id_issued_handler = self._connection_id_retired_handler = lambda _: None
        self._connection_terminated_handler = lambda: None
        # Its parts refer to each other too, and hold more than 100 KiB; it may be one of them that has called us.
        self._loop.call_soon(vars(self._quic).clear)
        self._on_gone(self)
