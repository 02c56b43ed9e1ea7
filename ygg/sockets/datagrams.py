"""Datagram sockets of a program on the overlay.

Their descriptor is one end of a pair that keeps the bounds of messages. Each message is a datagram behind its address:
the methods of the program's socket take that off and put it on, without a copy. What is read from the descriptor by
something else has it. So the descriptor can be polled, and be read by a child process.
"""

import asyncio
import errno
import socket
import struct
from typing import Any, cast

from ygg.sockets import calls, descriptors
from ygg.vtun import VTun
from ygg.vtun.addresses import Host, SocketAddress, destination, failure
from ygg_c.base import forks

HEADER = struct.Struct("!16sH")
"""What precedes each datagram in the pair: the address and the port that it comes from, or goes to."""
LARGEST = 65527
"""Bytes of a datagram."""

_BATCH = 64
_NOWHERE = bytes(HEADER.size)


class Datagrams:
    """What a datagram socket stands for."""

    def __init__(self, vtun: VTun) -> None:
        self.vtun = vtun
        """Whose it is."""
        self.local: SocketAddress = ("::", 0, 0, 0)
        """The address that it is bound to."""
        self.remote: SocketAddress | None = None
        """The address that it is connected to."""
        self.view: Any = None
        """Options, as `get_extra_info("socket")` has them."""
        self.bridge: DatagramBridge | None = None
        """What carries the datagrams."""
        self._made_in = forks.current()

    def open(
        self, sock: socket.socket, local: tuple[Host | None, int] | None, remote: tuple[Host, int] | None
    ) -> None:
        """Open a UDP socket of the VTun, and have the descriptor of `sock` carry its datagrams."""
        there, near = descriptors.pair(socket.SOCK_SEQPACKET)
        try:
            transport, self.bridge = calls.run(
                self.vtun,
                self.vtun.create_datagram_endpoint(lambda: DatagramBridge(near), local_addr=local, remote_addr=remote),
            )
        except BaseException:
            there.close()
            near.close()
            raise
        self.local, self.remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self.view = transport.get_extra_info("socket")
        descriptors.replace(sock, there)

    def unbind(self) -> tuple[Host | None, int]:
        """Give the address up for a socket with other ends; return it."""
        if self.bridge is not None:
            calls.call(self.vtun, self.bridge.close)
        return (None if self.local[0] == "::" else self.local[0]), self.local[1]

    def release(self) -> None:
        """The socket is closed. The bridge learns of that by the pair, when all that was sent has left."""

    def error_once(self) -> OSError | None:
        """Return what became of a datagram that was sent, or of the socket, if that was not told before."""
        bridge = self.bridge
        if bridge is None or self._made_in != forks.current():
            return None
        error, bridge.error = bridge.error, None
        return error if isinstance(error, OSError) else None

    def to(self, address: Any) -> bytes:
        """Return what precedes a datagram to `address`, that of the peer with None."""
        if address is None:
            if self.remote is None:
                raise failure(errno.EDESTADDRREQ)
            return _NOWHERE
        if self.remote is not None and tuple(address[:2]) != self.remote[:2]:
            raise failure(errno.EISCONN)
        return HEADER.pack(destination(address[0]), address[1])


def source(header: bytes | bytearray) -> SocketAddress:
    """Return the address that precedes a datagram."""
    raw, port = HEADER.unpack_from(header)
    return socket.inet_ntop(socket.AF_INET6, raw), port, 0, 0


class DatagramBridge(asyncio.DatagramProtocol):
    """Carries datagrams between a UDP socket of the overlay and a pair. What the pair cannot hold is dropped."""

    def __init__(self, near: socket.socket) -> None:
        self._near = near
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._connected = False
        self._watching = False
        self.error: Exception | None = None
        """What was reported last of datagrams that were sent, or what the socket was lost by."""
        self.dropped = 0
        """Datagrams that came while the program's queue was full."""
        forks.register(near.fileno())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._connected = transport.get_extra_info("peername") is not None
        self.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.error = exc or self.error
        self._close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        header = HEADER.pack(socket.inet_pton(socket.AF_INET6, addr[0]), addr[1])
        try:
            self._near.sendmsg([header, data])
        except BlockingIOError:
            self.dropped += 1
        except OSError:
            self.close()

    def error_received(self, exc: Exception) -> None:
        if self._connected:     # as a kernel's: others hear nothing of what became of a datagram
            self.error = exc

    def pause_writing(self) -> None:
        self._unwatch()

    def resume_writing(self) -> None:
        if not self._watching and self._near.fileno() >= 0:
            self._watching = True
            self._loop.add_reader(self._near.fileno(), self._on_readable)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._near.fileno())

    def _on_readable(self) -> None:
        for _ in range(_BATCH):
            if self._transport is None or not self._watching:
                return
            try:
                message = self._near.recv(HEADER.size + LARGEST)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if len(message) < HEADER.size:
                self.close()
                return
            target = None if message.startswith(_NOWHERE) else source(message)
            self._transport.sendto(memoryview(message)[HEADER.size :], target)

    def close(self) -> None:
        """Close the socket; what was sent still leaves."""
        self._close()
        if self._transport is not None:
            self._transport.close()

    def _close(self) -> None:
        if self._near.fileno() >= 0:
            self._unwatch()
            forks.unregister(self._near.fileno())
            self._near.close()
