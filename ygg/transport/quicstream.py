"""A byte stream that is the first stream of a QUIC connection (protocol 0.5, QUIC; RFC 9000).

`aioquic` speaks the protocol; what is here makes an asyncio transport of one stream. Its own transports have neither
flow control nor an end, and it lets a sender go on however little its reader takes. So datagrams are dropped, as by a
full socket buffer, while too much waits to be read. What is unacknowledged counts as the write buffer, since an end has
to wait for it; but a writer is paused by what has not been sent: congestion control bounds what is under way.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
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

from ygg.errors import ConnectionReset, ConnectTimeout, from_os_error
from ygg.stream.held import HoldingProtocol
from ygg.stream.inbox import Inbox
from ygg.stream.transport import ByteStreamTransport
from ygg.transport.quiet import QuietLogger

logger = logging.getLogger("ygg.transport")
_library_logger = QuietLogger(logging.getLogger("ygg.transport.aioquic"))

KEEPALIVE = 20.0
"""Seconds between pings."""
LINGER = 5.0
"""Seconds that what was written before a close has to arrive."""
HIGH_WATER = 256 * 1024
"""Bytes not sent above which the writer is paused."""
MOST_UNREAD = 1024 * 1024
"""Bytes not read above which datagrams are dropped."""

Address = tuple[Any, ...]
"""A socket address as the system has it."""


class Port:
    """The sending side of a datagram port, as a connection knows it: to one address, or to the one given."""

    def __init__(self, transport: asyncio.DatagramTransport, *, connected: bool) -> None:
        self._transport, self._connected = transport, connected

    def sendto(self, data: bytes, address: Address) -> None:
        """Send a datagram; a connected port has the one destination, whatever `address` says."""
        if not self._transport.is_closing():
            self._transport.sendto(data, None if self._connected else address)


class QuicLink(QuicConnectionProtocol):
    """A connection of which one stream is used: the first that its client opens."""

    def __init__(self, quic: QuicConnection, sockname: Address, on_gone: Callable[[QuicLink], None]) -> None:
        quic._logger.logger = _library_logger  # it takes none: its own tells of each connection at INFO
        super().__init__(quic)
        self._sockname, self._on_gone = sockname, on_gone
        self._client = quic.configuration.is_client
        self._peer: Address = ()
        self._keepalive: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self.stream: QuicStream | None = None
        """The stream that carries the link, once open."""
        self.gone = self._forgotten = False
        """Whether the connection has ended."""
        self.opened: asyncio.Future[QuicStream] = self._loop.create_future()
        """Done when there is a stream."""

    @property
    def remote_host(self) -> str:
        """The other side's address; empty before its first datagram."""
        return str(self._peer[0]) if self._peer else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, Port):  # the network's own transport is attached in its place
            super().connection_made(cast(Any, transport))

    def attach(self, port: Port, sockname: Address) -> None:
        """Send through `port`."""
        self._sockname = sockname
        self.connection_made(cast(Any, port))

    def dial(self, address: Address) -> None:
        """Start the handshake."""
        self._peer = address
        self.connect(address)

    def datagram_received(self, data: bytes | str, addr: Address) -> None:
        if self.gone or (self.stream is not None and self.stream.unread > MOST_UNREAD):
            return
        if not self._client:
            self._peer = self._peer or addr
        self._guard(super().datagram_received, data, self._peer if self._client else addr)

    def error_received(self, exc: Exception) -> None:
        """A port nobody listens at says so, once; what else a network says about one datagram means little."""
        if isinstance(exc, ConnectionRefusedError) and not self.opened.done():
            self.end(from_os_error(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(ConnectionReset() if exc is None else exc)
        self._forget()

    def transmit(self) -> None:
        if self._forgotten:
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
            if self.gone:
                self._forget()  # it failed at saying goodbye
            else:
                self.end(ConnectionReset(f"QUIC error: {error}"))

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, HandshakeCompleted):
            self._beat()
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
            self._forget()

    def _open(self, stream_id: int) -> None:
        holding = HoldingProtocol()
        self.stream = QuicStream(self, stream_id, holding, self._sockname, self._peer)
        holding.connection_made(self.stream)
        if not self.opened.done():
            self.opened.set_result(self.stream)

    def _beat(self) -> None:
        """Keep the connection from idling out."""
        self._keepalive = self._loop.call_later(KEEPALIVE, self._beat)
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
        if self.gone:
            return
        self.gone = True
        for timer in (self._keepalive, self._linger):
            if timer is not None:
                timer.cancel()
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionReset())
            self.opened.exception()  # whoever waited may have given up
        if self.stream is not None:
            self.stream.lose(error)
        self.close()

    def discard(self) -> None:
        """Say goodbye to a connection that has no stream, do not see it arrive, and free what is held."""
        self.end(None)
        self._forget()
        vars(self._quic).clear()  # at once, for many may come and go in one turn of the loop

    def _forget(self) -> None:
        """Nothing more is to be sent."""
        if self._forgotten:
            return
        self._forgotten = True
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


class QuicStream(ByteStreamTransport):
    """One stream, and with it its connection: they end together."""

    def __init__(
        self, link: QuicLink, stream_id: int, protocol: asyncio.BaseProtocol, sockname: Address, peername: Address
    ) -> None:
        self._inbox = Inbox()
        super().__init__(protocol, self._inbox, {"sockname": sockname, "peername": peername})
        self._link: QuicLink | None = link
        """The connection; None when it has ended."""
        self.stream_id = stream_id
        """Its number in the connection."""
        self.set_write_buffer_limits(HIGH_WATER)

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if getattr(self, "_link", None) is not None:  # else it holds nothing, though there may be something to read
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
        if self._link is not None:
            self._link.send(self.stream_id, bytes(data))
            self._pause_if_full()

    def can_write_eof(self) -> bool:
        """Tell whether there is another direction: not when the connection has ended."""
        return self._link is not None

    def _send_eof(self) -> None:
        if self._link is not None:
            self._link.send(self.stream_id, b"", end=True)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the other side has not confirmed."""
        return 0 if self._link is None else self._link.unacknowledged(self.stream_id)

    def _queued(self) -> int:
        return 0 if self._link is None else self._link.unsent(self.stream_id)

    def relieve(self) -> None:
        """See whether enough has been sent to go on, or all has been confirmed before the end."""
        if self._link is None:
            return
        if self._closing and self.get_write_buffer_size() == 0:
            self._link.end(None)
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
        if self._link is None:
            self._lose(None)
        else:
            self._loop.call_soon(self.relieve)
            self._link.end_later()

    def _force_close(self, error: BaseException | None) -> None:
        self._closing = True
        if self._link is None:
            self._lose(error)
        else:
            self._link.end(error)

    def lose(self, error: BaseException | None) -> None:
        """The connection has ended; after an end in good order what has come can still be read."""
        if self._link is None:
            return
        self._link = None  # which keeps us
        if error is None and self._inbox.readable and not self._closing:
            self._ended = True
        else:
            self._lose(error)


async def opening(link: QuicLink, seconds: float) -> QuicStream:
    """Return the stream of a connection, held still. Raises `ConnectTimeout` and what ended the connection."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(link.opened)
    except TimeoutError:
        link.end(None)
        raise ConnectTimeout("QUIC handshake timed out") from None
    except BaseException:
        link.end(None)
        raise
