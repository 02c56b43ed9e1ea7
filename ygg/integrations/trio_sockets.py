"""Sockets of trio's kind that reach the overlay: for addresses of a VTun by its event loop, for all others as trio's.

A socket has a descriptor, which trio polls: that of `ygg.sockets`, one end of a pair of the system's sockets, once it
stands for something on the overlay. Trio's own sockets take no object of a subclass of `socket.socket`, and call its
methods past those of a subclass, which tell the overlay's names and errors; so there is a class here.
"""

from __future__ import annotations

import errno
import functools
import os
import select
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import trio

from ygg.sockets import calls, create, hosts, public_key
from ygg.sockets.datagrams import Datagrams
from ygg.sockets.listeners import Listening
from ygg.sockets.routes import Route, at, toward
from ygg.sockets.standing import standing, what
from ygg.sockets.streams import Connection
from ygg.vtun import VTun
from ygg.vtun.addresses import failure

Routes = Callable[[], Sequence[Route]]
"""What tells which VTuns a socket may use when it is bound or connected."""


class OverlaySocket(trio.socket.SocketType):
    """A `trio.socket.SocketType` around a `socket.socket`, which it closes."""

    def __init__(self, sock: socket.socket, routes: Routes = tuple) -> None:
        """Take a socket that stands for something on the overlay, or one that may come to do so by `routes`."""
        super().__init__()
        sock.setblocking(False)
        self._sock = sock       # under the name that trio's own have, where libraries look for it
        self._routes = routes
        self._written_out = False

    @property
    def public_key(self) -> bytes | None:
        """The 32-byte public key of the node at the other end; None where none is known."""
        return public_key(self._sock)

    # What does not wait

    @property
    def family(self) -> socket.AddressFamily:
        """As of any socket."""
        return socket.AddressFamily(self._sock.family)

    @property
    def type(self) -> socket.SocketKind:
        """As of any socket."""
        return self._sock.type

    @property
    def proto(self) -> int:
        """As of any socket."""
        return self._sock.proto

    @property
    def did_shutdown_SHUT_WR(self) -> bool:
        """Whether no more can be written."""
        return self._written_out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._sock!r}>"

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._sock.fileno()

    def detach(self) -> int:
        """Give the descriptor away, and return it."""
        return self._sock.detach()

    def dup(self) -> OverlaySocket:
        """Return another socket for the same."""
        return OverlaySocket(self._sock.dup(), self._routes)

    def getpeername(self) -> Any:
        """Return the address of the other end."""
        return self._sock.getpeername()

    def getsockname(self) -> Any:
        """Return its own address."""
        return self._sock.getsockname()

    def get_inheritable(self) -> bool:
        """As of any socket."""
        return self._sock.get_inheritable()

    def set_inheritable(self, inheritable: bool) -> None:
        """As of any socket."""
        self._sock.set_inheritable(inheritable)

    def getsockopt(self, *option: Any) -> Any:
        """Return an option."""
        return self._sock.getsockopt(*option)

    def setsockopt(self, *option: Any) -> None:
        """Set an option.

        On the overlay TCP_NODELAY is set without waiting for the node's event loop, and TCP_NOTSENT_LOWAT does nothing:
        trio sets both for each stream, and the latter would bound what waits behind the pair, not what waits in it.
        """
        found = what(self._sock) if option[:1] == (socket.IPPROTO_TCP,) else None
        if not isinstance(found, Connection) or option[1:2] not in _WITH_EACH_STREAM:
            self._sock.setsockopt(*option)
        elif option[1] == socket.TCP_NODELAY:
            calls.later(found.vtun, functools.partial(found.view.setsockopt, option[0], option[1], int(option[2])))

    def listen(self, backlog: int = 128) -> None:
        """Listen, where it is bound."""
        self._sock.listen(backlog)

    def shutdown(self, flag: int) -> None:
        """Read, or write, no more."""
        self._sock.shutdown(flag)
        self._written_out |= flag in (socket.SHUT_WR, socket.SHUT_RDWR)

    def is_readable(self) -> bool:
        """Tell whether something waits to be read."""
        asking = select.poll()
        asking.register(self._sock, select.POLLIN)
        return bool(asking.poll(0))

    def close(self) -> None:
        """Close it; what waits for it ends with `trio.ClosedResourceError`."""
        if self._sock.fileno() >= 0:
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()

    # What waits

    async def wait_writable(self) -> None:
        """Wait until it can be written."""
        await trio.lowlevel.wait_writable(self._sock)

    async def bind(self, address: Any) -> None:
        """Take an address and a port, of a VTun where that has it."""
        if self._may_route(address):
            host = hosts.text(address[0])
            vtun = at(self._routes(), host)
            if vtun is not None:
                await trio.lowlevel.checkpoint()
                create.bind(vtun, self._sock, (None if host in ("", "::") else host, address[1]))
                return
        await self._native().bind(address)

    async def connect(self, address: Any) -> None:
        """Connect, through a VTun where that reaches the address. Closes the socket when it is cancelled."""
        vtun = self._toward(address)
        if vtun is None:
            await self._native().connect(address)
            return
        await trio.lowlevel.checkpoint()
        try:
            create.connect(vtun, self._sock, (hosts.text(address[0]), address[1]))
        except BlockingIOError:
            try:
                await trio.lowlevel.wait_writable(self._sock)
            except trio.Cancelled:
                self.close()
                raise
        if self.type == socket.SOCK_STREAM:
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, f"no connection to {address!r}: {os.strerror(code)}")

    async def accept(self) -> tuple[OverlaySocket, Any]:
        """Return the next connection, and the address that it comes from."""
        sock, address = await self._once(trio.lowlevel.wait_readable, self._sock.accept)
        return OverlaySocket(sock), address

    async def recv(self, *arguments: Any) -> Any:
        """Return what has come."""
        return await self._read(self._sock.recv, *arguments)

    async def recv_into(self, *arguments: Any, **named: Any) -> Any:
        """Put what has come into a buffer; return how many bytes that is."""
        return await self._read(self._sock.recv_into, *arguments, **named)

    async def recvfrom(self, *arguments: Any) -> Any:
        """Return a datagram, and the address that it comes from."""
        return await self._read(self._sock.recvfrom, *arguments)

    async def recvfrom_into(self, *arguments: Any, **named: Any) -> Any:
        """Put a datagram into a buffer; return its size, and the address that it comes from."""
        return await self._read(self._sock.recvfrom_into, *arguments, **named)

    async def recvmsg(self, *arguments: Any) -> Any:
        """As of any socket."""
        return await self._read(self._sock.recvmsg, *arguments)

    async def recvmsg_into(self, *arguments: Any) -> Any:
        """As of any socket."""
        return await self._read(self._sock.recvmsg_into, *arguments)

    async def send(self, *arguments: Any) -> Any:
        """Write what fits; return how many bytes that is."""
        return await self._write(self._sock.send, *arguments)

    async def sendto(self, *arguments: Any) -> Any:
        """Send a datagram, by a VTun where that reaches the address."""
        if not self._sends(arguments[-1]):
            return await self._native().sendto(*arguments)
        return await self._write(self._sock.sendto, *arguments)

    async def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> Any:
        """As of any socket; a datagram by a VTun where that reaches the address."""
        if address is None or self._sends(address):
            return await self._write(self._sock.sendmsg, buffers, ancdata, flags, address)
        return await self._native().sendmsg(buffers, ancdata, flags, address)

    # How

    def _native(self) -> trio.socket.SocketType:
        """Return trio's own socket for what is not on the overlay; the same `socket.socket` is in it."""
        if standing(self._sock) is not None:
            raise failure(errno.EINVAL, "this socket is one of the overlay")
        return trio.socket.from_stdlib_socket(self._sock)

    def _may_route(self, address: Any) -> bool:
        return self._sock.family == socket.AF_INET6 and isinstance(address, tuple) and len(address) >= 2

    def _toward(self, address: Any) -> VTun | None:
        found = standing(self._sock)
        if isinstance(found, Listening | Datagrams | Connection):
            return found.vtun   # which says what cannot be done
        return toward(self._routes(), address[0]) if self._may_route(address) else None

    def _sends(self, address: Any) -> bool:
        if standing(self._sock) is None and self._sock.type == socket.SOCK_DGRAM:
            vtun = self._toward(address)
            if vtun is not None:
                create.send_first(vtun, self._sock)
        return standing(self._sock) is not None

    def _read(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Awaitable[Any]:
        return self._once(trio.lowlevel.wait_readable, method, *arguments, **named)

    def _write(self, method: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        return self._once(trio.lowlevel.wait_writable, method, *arguments)

    async def _once(
        self, wait: Callable[[Any], Awaitable[None]], method: Callable[..., Any], *arguments: Any, **named: Any
    ) -> Any:
        """Do it at once where that goes, a checkpoint all the same; else when the descriptor is ready."""
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            result = method(*arguments, **named)
        except BlockingIOError:
            pass
        else:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return result
        while True:
            await wait(self._sock)
            try:
                return method(*arguments, **named)
            except BlockingIOError:
                pass


_WITH_EACH_STREAM = [(getattr(socket, name),) for name in ("TCP_NODELAY", "TCP_NOTSENT_LOWAT") if hasattr(socket, name)]
