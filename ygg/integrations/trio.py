"""trio over a VTun: trio's own streams and listeners, and `routed()` for libraries of trio's, unmodified.

The node runs on asyncio, in a thread of its own: `with ygg.blocking.node(...) as node: trio.run(main, node.vtun)`.
Where trio is the guest of the node's event loop all works as well.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal

from ygg.errors import MissingExtraError, ResolveError
from ygg.integrations.keepalive import probing
from ygg.sockets import create
from ygg.sockets import hosts as _hosts
from ygg.sockets.routes import Route, toward
from ygg.sockets.standing import Methods
from ygg.vtun import VTun
from ygg.vtun.addresses import Host, failure

try:
    import trio
except ImportError as error:
    raise MissingExtraError("ygg.integrations.trio needs trio: pip install 'ygg[trio]'") from error

from ygg.integrations.trio_sockets import OverlaySocket

# Streams, listeners and UDP sockets of one VTun


def _new(vtun: VTun, kind: socket.SocketKind = socket.SOCK_STREAM) -> OverlaySocket:
    return OverlaySocket(socket.socket(socket.AF_INET6, kind), lambda: (Route(vtun, everything=True),))


async def open_tcp_stream(
    vtun: VTun, host: Host, port: int, *, local_address: Host | None = None
) -> trio.SocketStream:
    """Connect to an address of the overlay, as `trio.open_tcp_stream` does. OSError as `VTun.create_connection` has."""
    sock = _new(vtun)
    try:
        if local_address is not None:
            await sock.bind((str(local_address), 0))
        await sock.connect((str(host), port))
        return trio.SocketStream(sock)
    except BaseException:
        sock.close()
        raise


async def open_tcp_listeners(
    vtun: VTun, port: int, *, host: Host | None = None, backlog: int | None = None
) -> list[trio.SocketListener]:
    """Listen on one address of `vtun` or on all, as `trio.open_tcp_listeners` does; it is one listener.

    Port 0 picks one. What it accepts is probed after a minute without a word.
    """
    await trio.lowlevel.checkpoint()
    return [trio.SocketListener(OverlaySocket(listening(vtun, port, host=host, backlog=backlog)))]


async def serve_tcp(
    handler: Callable[[trio.SocketStream], Awaitable[object]],
    vtun: VTun,
    port: int,
    *,
    host: Host | None = None,
    backlog: int | None = None,
    handler_nursery: trio.Nursery | None = None,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run `handler` for each connection in a task of its own, as `trio.serve_tcp` does, until cancelled."""
    listeners = await open_tcp_listeners(vtun, port, host=host, backlog=backlog)
    await trio.serve_listeners(handler, listeners, handler_nursery=handler_nursery, task_status=task_status)


async def open_udp_socket(
    vtun: VTun,
    local_addr: tuple[Host | None, int] | None = None,
    remote_addr: tuple[Host, int] | None = None,
) -> OverlaySocket:
    """Open a UDP socket of `vtun`, bound to an address of its or to all, connected where `remote_addr` is given."""
    sock = _new(vtun, socket.SOCK_DGRAM)
    try:
        host, port = local_addr or (None, 0)
        await sock.bind(("::" if host is None else str(host), port))
        if remote_addr is not None:
            await sock.connect((str(remote_addr[0]), remote_addr[1]))
    except BaseException:
        sock.close()
        raise
    return sock


def listening(vtun: VTun, port: int, *, host: Host | None = None, backlog: int | None = None) -> socket.socket:
    """Return a socket that listens on an address of `vtun`, for servers that take one, inside `routed()`."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        for name, value in dict[str, Any](probing(vtun)).items():
            sock.setsockopt(socket.IPPROTO_TCP, _PROBING[name], int(value))
        create.bind(vtun, sock, (host, port))
        sock.listen(128 if backlog is None else backlog)
    except BaseException:
        sock.close()
        raise
    return sock


_PROBING: dict[str, int] = {
    "keepalive_idle": getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", -1)),
    "keepalive_interval": socket.TCP_KEEPINTVL,
    "keepalive_count": socket.TCP_KEEPCNT,
}


def public_key(stream: trio.SocketStream | trio.SSLStream[Any]) -> bytes | None:
    """Return the 32-byte public key of the node at the other end of a stream; None where none is known."""
    while isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return stream.socket.public_key if isinstance(stream.socket, OverlaySocket) else None


# All that a run of trio does


@contextlib.contextmanager
def routed(
    vtun: VTun, *, tasks: Literal["all", "own"] = "all", hosts: Literal["overlay", "all"] = "overlay"
) -> Iterator[None]:
    """Have this run of trio reach addresses of the overlay through `vtun` while the body runs.

    `trio.socket.socket` makes sockets then that bind, connect and send by the VTun where an address is the overlay's
    (0200::/7), and so do trio's streams and listeners, and libraries on them. `from_stdlib_socket` takes sockets of
    `ygg.blocking` and of `listening()`. No question is sent for the name of an address of the overlay. All else does
    what it did, and what was opened goes on afterwards. It may be nested, and left in any order.

    With `tasks="own"` it holds for the calling task, and for those that it starts meanwhile. With `hosts="all"` every
    host is taken for the overlay's, and names are errors.
    """
    route = Route(vtun, hosts == "all")
    run = _Run.current()
    run.enter(route, tasks == "own")
    try:
        yield
    finally:
        run.leave(route)


_OWN: contextvars.ContextVar[tuple[Route, ...]] = contextvars.ContextVar("routes of this task", default=())
_RUN: trio.lowlevel.RunVar[_Run] = trio.lowlevel.RunVar("what is routed in this run")


class _Run(trio.abc.SocketFactory, trio.abc.HostnameResolver):
    """What makes sockets and answers questions in a run of trio, while something is routed there."""

    def __init__(self) -> None:
        self._entered: list[Route] = []
        self._everywhere: tuple[Route, ...] = ()
        self._sockets: trio.abc.SocketFactory | None = None
        self._names: trio.abc.HostnameResolver | None = None

    @classmethod
    def current(cls) -> _Run:
        """Return that of the run which this is called in; RuntimeError where there is none."""
        try:
            return _RUN.get()
        except LookupError:
            run = cls()
            _RUN.set(run)
            return run

    def enter(self, route: Route, own: bool) -> None:
        if not self._entered:
            _CONSTRUCTOR.enter()
            self._sockets = trio.socket.set_custom_socket_factory(self)
            self._names = trio.socket.set_custom_hostname_resolver(self)
        self._entered.append(route)
        if own:
            _OWN.set((route, *_OWN.get()))
        else:
            self._everywhere = (route, *self._everywhere)

    def leave(self, route: Route) -> None:
        self._entered.remove(route)
        self._everywhere = tuple(one for one in self._everywhere if one is not route)
        _OWN.set(tuple(one for one in _OWN.get() if one is not route))
        if not self._entered:
            trio.socket.set_custom_socket_factory(self._sockets)
            trio.socket.set_custom_hostname_resolver(self._names)
            _CONSTRUCTOR.leave()

    def routes(self) -> tuple[Route, ...]:
        """Return those that hold for this task, the innermost first; one that is left holds no more."""
        own = tuple(one for one in _OWN.get() if one in self._entered)
        return (*own, *self._everywhere)

    def socket(self, family: int = socket.AF_INET, type: int = socket.SOCK_STREAM, proto: int = 0) -> Any:
        """Make a socket; called by trio."""
        routes = self.routes()
        if family == socket.AF_INET and any(route.everything for route in routes):
            raise failure(errno.EAFNOSUPPORT, "addresses of the overlay are those of IPv6")
        if family != socket.AF_INET6 or not routes:
            if self._sockets is not None:
                return self._sockets.socket(family, type, proto)
            return trio.socket.from_stdlib_socket(socket.socket(family, type, proto))
        return OverlaySocket(socket.socket(family, type, proto), self.routes)

    async def getaddrinfo(
        self, host: bytes | None, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """Resolve a name; called by trio, which takes addresses itself."""
        if any(route.everything for route in self.routes()):
            raise ResolveError(f"no such host: {host!r} is no address of the overlay")
        if self._names is not None:
            return await self._names.getaddrinfo(host, port, family, type, proto, flags)
        return await trio.to_thread.run_sync(
            socket.getaddrinfo, host, port, family, type, proto, flags, abandon_on_cancel=True
        )

    async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        """Return the name of an address; called by trio."""
        if toward(self.routes(), sockaddr[0]) is not None:
            await trio.lowlevel.checkpoint()
            return _hosts.name_of(sockaddr, flags)
        if self._names is not None:
            return await self._names.getnameinfo(sockaddr, flags)
        return await trio.to_thread.run_sync(socket.getnameinfo, sockaddr, flags, abandon_on_cancel=True)


class _Constructor:
    """Has `trio.socket.from_stdlib_socket` take sockets of the overlay, while any run has something routed."""

    def __init__(self) -> None:
        self._lock, self._runs = threading.Lock(), 0
        self._before = trio.socket.from_stdlib_socket

    def _from_stdlib_socket(self, sock: socket.socket) -> Any:
        """Take a socket of the overlay, else do as before."""
        return OverlaySocket(sock) if isinstance(sock, Methods) else self._before(sock)

    def enter(self) -> None:
        with self._lock:
            self._runs += 1
            if self._runs == 1:
                self._before = trio.socket.from_stdlib_socket
                trio.socket.from_stdlib_socket = self._from_stdlib_socket

    def leave(self) -> None:
        with self._lock:
            self._runs -= 1
            if not self._runs:
                trio.socket.from_stdlib_socket = self._before


_CONSTRUCTOR = _Constructor()
