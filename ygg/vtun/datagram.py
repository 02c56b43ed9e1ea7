"""UDP over the stack, in two shapes: asyncio.DatagramTransport, and a socket to await.

Datagrams that arrived wait in the stack, in a queue bounded by bytes, until they are read in batches. One that finds
no room on the link waits here in the transport, up to its high-water mark, or in the caller of `sendto`.
"""

import asyncio
import errno
import functools
import warnings
from collections import deque
from typing import Any, Self

from ygg.errors import from_os_error
from ygg.stream.watermarks import watermarks
from ygg.vtun.addresses import Host, SocketAddress, endpoint, failure, packed, remote_end, split
from ygg.vtun.registry import Registry
from ygg.vtun.sockets import OverlaySocket
from ygg_c.base import forks
from ygg_c.socket.endpoint import CLOSED, FAILED, READABLE, WRITABLE
from ygg_c.stack.udp import UdpSocket as StackSocket

_HIGH_WATER = 64 * 1024
_BURST = 64  # datagrams sent in a row without giving the loop a chance

_Target = tuple[bytes, int] | tuple[()]


@functools.lru_cache(4096)
def _target(address: tuple[object, ...]) -> tuple[bytes, int]:
    host, port = split(address, "address")
    return remote_end(host or "", port)


class DatagramTransport(asyncio.DatagramTransport, asyncio.Transport):
    """A UDP socket as asyncio sees it. Made by `VTun.create_datagram_endpoint`; call `start` once.

    Like asyncio's own it is an `asyncio.Transport` too, though nothing can be written to it but with `sendto`.
    """

    def __init__(self, socket: StackSocket, protocol: asyncio.BaseProtocol, registry: Registry) -> None:
        self._local = endpoint(*socket.local)
        self._remote = None if socket.remote is None else endpoint(*socket.remote)
        self._view = OverlaySocket(socket, self._local, self._remote)
        super().__init__({"socket": self._view, "sockname": self._local, "peername": self._remote})
        self._loop = asyncio.get_running_loop()
        self._socket: StackSocket | None = socket
        self._protocol: Any = protocol
        self._registry = registry
        self._waiting: deque[tuple[bytes, _Target]] = deque()
        self._waiting_bytes = 0
        self._closing = self._lost = self._writing_paused = False
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4
        registry.add(self)

    def start(self) -> None:
        """Tell the protocol that the socket is there, and let events come."""
        self._tell(self._protocol.connection_made, self)
        if self._socket is not None and not self._closing:
            self._socket.on_event = self._on_event

    def __repr__(self) -> str:
        state = "closed" if self._socket is None else "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} {self._local[:2]}>"

    def __del__(self, _warn: Any = warnings.warn) -> None:
        socket = getattr(self, "_socket", None)
        if socket is not None:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            socket.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _tell(self, method: Any, *arguments: Any) -> None:
        """Call the protocol; what it raises goes to the loop's exception handler."""
        try:
            method(*arguments)
        except Exception as error:
            context = {"message": "Exception in a datagram protocol", "exception": error}
            self._loop.call_exception_handler(context | {"transport": self, "protocol": self._protocol})

    # Events of the stack

    def _on_event(self, events: int) -> None:
        if events & CLOSED and self._socket is not None:
            self._lose(failure(self._socket.error))
            return
        if events & (READABLE | FAILED):
            self._receive()
        if events & WRITABLE:
            self._send_waiting()

    def _receive(self) -> None:
        while self._socket is not None and not self._closing:
            try:
                batch = self._socket.recv_many()
            except OSError as error:
                self._tell(self._protocol.error_received, from_os_error(error))
                return
            if not batch:
                return
            for data, source in batch:
                self._tell(self._protocol.datagram_received, data, endpoint(*source))
                if self._closing:
                    return

    # Sending

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send one datagram; `addr` is (host, port), None on a connected endpoint. Errors go to `error_received`."""
        socket = self._socket
        if socket is None or self._closing:
            return
        try:
            to: _Target = () if addr is None else _target(addr)
        except OSError as error:
            self._tell(self._protocol.error_received, error)
            return
        if to and self._remote is not None:
            if endpoint(*to) != self._remote:
                raise ValueError(f"Invalid address: must be None or {self._remote}")
            to = ()
        if self._waiting or not self._send(socket, data, to):
            self._waiting.append((bytes(data), to))
            self._waiting_bytes += len(data)
            if self._waiting_bytes > self._high and not self._writing_paused:
                self._writing_paused = True
                self._tell(self._protocol.pause_writing)

    def _send(self, socket: StackSocket, data: bytes | bytearray | memoryview, target: _Target) -> bool:
        """Return whether the datagram is done with."""
        try:
            return socket.send(data, *target)
        except OSError as error:
            self._tell(self._protocol.error_received, from_os_error(error))
            return True

    def _send_waiting(self) -> None:
        while self._waiting and self._socket is not None and self._send(self._socket, *self._waiting[0]):
            self._waiting_bytes -= len(self._waiting.popleft()[0])
        if self._writing_paused and self._waiting_bytes <= self._low:
            self._writing_paused = False
            self._tell(self._protocol.resume_writing)
        if self._closing and not self._waiting:
            self._lose(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of asyncio's transports; and of a connected one "public_key", the 32-byte key of the node at the other
        end, None while it is not known.
        """
        if name == "public_key" and self._remote is not None:
            return self._registry.reach.key_of(packed(self._remote[0]))
        return super().get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait for room on the way."""
        return self._waiting_bytes

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return (low, high) in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have the protocol paused above `high` bytes waiting, resumed at `low`; as for `asyncio.WriteTransport`."""
        self._low, self._high = watermarks(high, low, _HIGH_WATER)

    # The end

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self._waiting:
                self._lose(None)

    def abort(self) -> None:
        self._closing = True
        self._lose(None)

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self._closing = True
        self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        if self._socket is not None:
            self._socket.on_event = None
            self._socket.close()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket = None
            self._protocol = None
            self._view.forget()
            self._registry.discard(self)


class UdpSocket:
    """A UDP socket to await: `await udp.sendto(data, address)`, `await udp.recvfrom()`. Made by `VTun.open_datagram`.

    Use it in `async with`, or call `close`.
    """

    def __init__(self, socket: StackSocket, registry: Registry) -> None:
        self._socket = socket
        self._registry = registry
        self._local = endpoint(*socket.local)
        self._remote = None if socket.remote is None else endpoint(*socket.remote)
        self._arrived: deque[tuple[bytes, tuple[bytes, int]]] = deque()
        self._waiters: set[asyncio.Future[None]] = set()
        self._sent = 0
        self._closed = False
        self._made_in = forks.current()
        socket.on_event = self._on_event
        registry.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._local[:2]}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if not getattr(self, "_closed", True):
            _warn(f"unclosed socket {self!r}", ResourceWarning, source=self)
            self._socket.close()

    def getsockname(self) -> SocketAddress:
        """Return our address; the host is "::" for all addresses of the VTun."""
        return self._local

    def getpeername(self) -> SocketAddress | None:
        """Return the address that a connected socket talks to, or None."""
        return self._remote

    async def sendto(self, data: bytes | bytearray | memoryview, address: tuple[Host, int] | SocketAddress) -> None:
        """Send one datagram to (host, port). Waits only while the link has no room.

        OSError: EMSGSIZE for more than 65,527 bytes, or than the path takes where the socket does not fragment;
        EHOSTUNREACH for a host outside 200::/7.
        """
        await self._send(data, _target(address))

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send one datagram to the peer of a connected socket; EDESTADDRREQ on another."""
        await self._send(data, ())

    async def _send(self, data: bytes | bytearray | memoryview, target: _Target) -> None:
        while True:
            self._check()
            try:
                sent = self._socket.send(data, *target)
            except OSError as error:
                raise from_os_error(error) from None
            if sent:
                break
            await self._event()
        # A sender that never waits would keep its datagrams from ever leaving.
        self._sent += 1
        if self._sent % _BURST == 0:
            await asyncio.sleep(0)

    async def recvfrom(self) -> tuple[bytes, SocketAddress]:
        """Return the next datagram and where it came from. ConnectionRefusedError on a connected socket whose peer's
        port is closed.
        """
        while not self._arrived:
            self._check()
            try:
                self._arrived.extend(self._socket.recv_many())
            except OSError as error:
                raise from_os_error(error) from None
            if not self._arrived:
                await self._event()
        data, source = self._arrived.popleft()
        return data, endpoint(*source)

    async def recv(self) -> bytes:
        """Return the next datagram."""
        return (await self.recvfrom())[0]

    def close(self) -> None:
        """Close the socket; calls that wait on it raise ConnectionAbortedError."""
        if not self._closed:
            self._closed = True
            self._socket.on_event = None
            self._socket.close()
            self._arrived.clear()
            self._registry.discard(self)
            self._wake()

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self.close()

    def _check(self) -> None:
        if self._closed:
            raise failure(errno.ECONNABORTED, "the socket is closed")
        forks.check(self._made_in)

    async def _event(self) -> None:
        """Wait until something happens on the socket."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _on_event(self, events: int) -> None:
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
