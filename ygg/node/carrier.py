"""What carries one live link: an asyncio transport after its handshake, and the pump between it and the engine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from socket import AF_INET, AF_INET6

from ygg.network.base import break_off
from ygg.stream.event_loops import descriptor_of
from ygg.stream.tls.stream import TLSStream
from ygg_c.io.pump import HAS_PUMPS, SocketPump, StreamPump
from ygg_c.io.transportpump import TransportPump
from ygg_c.link.link import Link
from ygg_c.node.node import Node


def _socket_below(transport: asyncio.Transport) -> int:
    """Return the descriptor of the TCP socket below a transport, where the kernel tells what it holds; else -1."""
    if sys.platform != "linux" or not HAS_PUMPS:
        return -1
    # A user's transport may not know, and may fail; and what it knows may be none of the kernel's.
    with contextlib.suppress(Exception):
        below = transport.get_extra_info("socket")
        if below.type == socket.SOCK_STREAM and below.family in (AF_INET, AF_INET6):
            return int(below.fileno())
    return -1


class Carrier:
    """One link and its transport, from the end of the handshake to the end of the link.

    A transport that is a plain socket, or TLS over one, is put to sleep and the socket driven by the engine; any other
    works through its own methods. The link ends when its transport does; `Node.on_link_closed` tells, and `close()`
    ends the transport.
    """

    def __init__(self, node: Node, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport = transport
        """Asyncio's, at the bottom."""
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done when the transport has gone."""
        self.pump: SocketPump = self._stream_pump(node) or TransportPump(
            node, transport, self._limit_unsent, _socket_below(transport), self._blocked
        )
        """What moves its bytes."""
        self._fd = self.pump.fileno()
        self.link: Link | None = None
        """The link, once started."""

    def start(self, key: bytes, priority: int, rest: bytes) -> Link:
        """Make the link and start its traffic; `rest` is what the handshake has read beyond itself."""
        if isinstance(self.pump, StreamPump):
            self.transport.set_protocol(_Sleeper(self))
            self.link = self.pump.start(key, priority, rest)
            self._paused(self.link.held)
        else:
            self.transport.set_protocol(_LinkProtocol(self, self.pump))
            self.link = self.pump.start(key, priority, rest)
            if not self.link.held:
                self.transport.resume_reading()
        return self.link

    def close(self) -> None:
        """Let go of everything at once; `lost` is done when the transport has noticed."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1
        self.pump.close()
        # A full buffer would wait for the other side's reading. A user's transport may not know, and may fail.
        with contextlib.suppress(Exception):
            if not self.transport.get_write_buffer_size():
                self.transport.close()
                return
        if not break_off(self.transport):
            self.gone()

    def _stream_pump(self, node: Node) -> StreamPump | None:
        if not HAS_PUMPS:
            return None
        carrier, tls = self.transport, None
        if isinstance(carrier, TLSStream) and (engine := carrier.engine()):
            carrier, tls = engine
        descriptor = descriptor_of(carrier)
        # What the transport still holds would be overtaken.
        if descriptor is None or self.transport.get_write_buffer_size():
            return None
        self.transport.pause_reading()
        if tls is None:
            pump = StreamPump(node, descriptor, self._blocked, self._paused)
        else:
            from ygg_c.io.tlspump import TlsPump  # where there is no `tls` it cannot be imported

            pump = TlsPump(node, descriptor, self._blocked, tls, self._paused)
        return pump

    # What waits must wait in the link's queue, where it is shared out, and not in the transport.
    def _limit_unsent(self, limit: int) -> None:
        with contextlib.suppress(NotImplementedError):
            self.transport.set_write_buffer_limits(high=limit)

    def _blocked(self, blocked: bool) -> None:
        if not blocked:
            self._loop.remove_writer(self._fd)
        elif self._fd >= 0:
            self._loop.add_writer(self._fd, self.pump.writable)

    def _paused(self, paused: bool) -> None:
        if self._fd < 0:
            return
        if paused:
            self._loop.remove_reader(self._fd)
        elif isinstance(self.pump, StreamPump):
            self._loop.add_reader(self._fd, self.pump.readable)

    def gone(self) -> None:
        """Note that the transport has gone."""
        if not self.lost.done():
            self.lost.set_result(None)


class _Sleeper(asyncio.Protocol):
    """The protocol of a transport whose socket the engine drives: only its end matters (a network that went down)."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def connection_lost(self, exc: Exception | None) -> None:
        if self._carrier.link is not None:
            self._carrier.link.close("ErrClosed")
        self._carrier.gone()
        del self._carrier  # its transport may keep us


class _LinkProtocol(asyncio.BufferedProtocol):
    """The pump's methods as a protocol; `data_received` too, for transports that know no buffered protocols."""

    def __init__(self, carrier: Carrier, pump: SocketPump) -> None:
        assert isinstance(pump, TransportPump)
        self._carrier = carrier
        self._pump = pump
        # Bound here so that each read goes straight into C.
        self.get_buffer = pump.get_buffer  # type: ignore[method-assign]
        self.buffer_updated = pump.buffer_updated  # type: ignore[method-assign]
        self.data_received = pump.data_received
        self.eof_received = pump.eof_received  # type: ignore[method-assign]
        self.pause_writing = pump.pause_writing  # type: ignore[method-assign]
        self.resume_writing = pump.resume_writing  # type: ignore[method-assign]

    def connection_lost(self, exc: Exception | None) -> None:
        self._pump.connection_lost(exc)
        self._carrier.gone()
        del self._carrier  # its transport may keep us
