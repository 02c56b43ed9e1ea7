"""What is put before the `socket` module's functions and methods, so that calls follow routes to VTuns.

Theory of operation. While routes are entered, functions of the `socket` module and methods of the class `socket.socket`
have ours before them, which look at the address that they are given. For an address of the overlay the socket comes to
stand for a connection, a listener or a datagram socket of the VTun; all else goes on to what was there. When the last
route is left, module and class are as they were. Sockets that were opened go on.
"""

import errno
import functools
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ygg.sockets import create, hosts
from ygg.sockets.datagrams import Datagrams
from ygg.sockets.listeners import Listening
from ygg.sockets.routes import Route, at, toward
from ygg.sockets.standing import (
    Standing,
    getpeername,
    getsockname,
    getsockopt,
    known,
    setsockopt,
    standing,
)
from ygg.sockets.streams import Connection
from ygg.vtun.addresses import failure


@dataclass(eq=False)
class SocketRoute(Route):
    """A route that calls of sockets follow, where it holds for them."""

    def holds(self) -> bool:
        """Tell whether it holds for what calls now."""
        return True

    def started(self, thread: threading.Thread) -> None:
        """A thread begins where the route holds."""


class _Patches:
    """What is put before the functions of `socket`, the methods of `socket.socket`, and the start of threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.routes: tuple[SocketRoute, ...] = ()
        """Those entered, the innermost first."""
        self._restore: list[Callable[[], None]] = []

    def enter(self, route: SocketRoute) -> None:
        with self._lock:
            if not self.routes:
                self._patch()
            self.routes = (route, *self.routes)

    def leave(self, route: SocketRoute) -> None:
        with self._lock:
            self.routes = tuple(one for one in self.routes if one is not route)
            if not self.routes:
                for restore in reversed(self._restore):
                    restore()
                self._restore.clear()

    def _patch(self) -> None:
        for owner, functions in ((socket.socket, METHODS), (socket, FUNCTIONS), (threading.Thread, _STARTS)):
            for name, function in functions.items():
                self._put(owner, name, function)

    def _put(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        own = vars(owner).get(name)
        before = getattr(owner, name)

        @functools.wraps(before)
        def patched(*arguments: Any, **named: Any) -> Any:
            return function(before, *arguments, **named)

        def restore() -> None:
            if vars(owner).get(name) is not patched:
                return  # replaced once more since: what did that has ours, which goes on to what was there
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        setattr(owner, name, patched)
        self._restore.append(restore)


_PATCHES = _Patches()


def enter(route: SocketRoute) -> None:
    """Have calls of sockets follow a route."""
    _PATCHES.enter(route)


def leave(route: SocketRoute) -> None:
    """End that."""
    _PATCHES.leave(route)


def _routes() -> list[SocketRoute]:
    return [route for route in _PATCHES.routes if route.holds()]


# Methods of socket.socket: each is given what was there before


def _target(sock: socket.socket, address: Any) -> bool:
    return sock.family == socket.AF_INET6 and isinstance(address, tuple) and len(address) >= 2


def _connect(before: Callable[..., Any], sock: socket.socket, address: Any) -> Any:
    found = standing(sock)
    vtun = found.vtun if isinstance(found, Listening | Datagrams) else None
    if _target(sock, address):
        local = found.local[0] if isinstance(found, Listening | Datagrams) else None
        vtun = vtun or toward(_routes(), address[0], local)
        if vtun is not None:
            return create.connect(vtun, sock, (hosts.text(address[0]), _port(address[1])))
    if isinstance(found, Connection) and not found.failed:
        raise failure(errno.EALREADY if found.pending else errno.EISCONN)
    return before(sock, address)


def _connect_ex(before: Callable[..., Any], sock: socket.socket, address: Any) -> int:
    found = standing(sock)
    if not isinstance(found, Standing) and (not _target(sock, address) or toward(_routes(), address[0]) is None):
        code: int = before(sock, address)
        return code
    try:
        sock.connect(address)
    except OSError as error:
        return error.errno or (errno.EAGAIN if isinstance(error, TimeoutError) else errno.EIO)
    return 0


def _bind(before: Callable[..., Any], sock: socket.socket, address: Any) -> Any:
    if _target(sock, address):
        host = hosts.text(address[0])
        vtun = at(_routes(), host)
        if vtun is not None:
            return create.bind(vtun, sock, (None if host in ("", "::", "0.0.0.0") else host, _port(address[1])))
    return before(sock, address)


def _port(port: Any) -> int:
    if not isinstance(port, int):
        raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
    if not 0 <= port <= 65535:
        raise OverflowError("port must be 0-65535")
    return port


def _sends(sock: socket.socket, address: Any) -> bool:
    """Tell whether a socket sends to the overlay, for which it comes to stand for one of a VTun."""
    if sock.type != socket.SOCK_DGRAM or not _target(sock, address):
        return False
    if isinstance(standing(sock), Datagrams):
        return False    # it has the methods for that already
    vtun = toward(_routes(), address[0])
    if vtun is None:
        return False
    create.send_first(vtun, sock)
    return True


def _sendto(before: Callable[..., Any], sock: socket.socket, *arguments: Any) -> Any:
    if arguments and _sends(sock, arguments[-1]):
        return sock.sendto(*arguments)
    return before(sock, *arguments)


def _sendmsg(
    before: Callable[..., Any], sock: socket.socket, buffers: Any, ancdata: Any = (), flags: int = 0,
    address: Any = None,
) -> Any:
    if address is not None and _sends(sock, address):
        return sock.sendmsg(buffers, ancdata, flags, address)
    rest = () if address is None else (address,)
    return before(sock, buffers, ancdata, flags, *rest)


def _accept(before: Callable[..., Any], sock: socket.socket) -> Any:
    connection, address = before(sock)
    return connection, known(connection, address)


# Functions of the module


def _getaddrinfo(
    before: Callable[..., Any], host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> Any:
    routes = _routes()
    if host is not None and toward(routes, host) is not None:
        return hosts.addresses(host, port, family, type, proto, flags)
    if host is None and flags & socket.AI_PASSIVE and at(routes, None) is not None:
        family = socket.AF_INET6    # a server without a host listens on the overlay
    return before(host, port, family, type, proto, flags)


def _getnameinfo(before: Callable[..., Any], address: Any, flags: int) -> Any:
    if address and toward(_routes(), address[0]) is not None:
        return hosts.name_of(address, flags)
    return before(address, flags)


def _gethostbyaddr(before: Callable[..., Any], host: Any) -> Any:
    if hosts.literal(host) is not None and _routes():
        raise socket.herror(1, f"the address {host!r} has no name")
    return before(host)


def _start(before: Callable[..., Any], thread: threading.Thread) -> Any:
    for route in _routes():
        route.started(thread)
    return before(thread)


METHODS: dict[str, Callable[..., Any]] = {
    "connect": _connect,
    "connect_ex": _connect_ex,
    "bind": _bind,
    "sendto": _sendto,
    "sendmsg": _sendmsg,
    "accept": _accept,
    "getpeername": lambda before, sock: getpeername(sock, before),
    "getsockname": lambda before, sock: getsockname(sock, before),
    "setsockopt": lambda before, sock, *option: setsockopt(sock, before, *option),
    "getsockopt": lambda before, sock, *option: getsockopt(sock, before, *option),
}
"""Methods of `socket.socket` that ours are put before."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getaddrinfo": _getaddrinfo,
    "getnameinfo": _getnameinfo,
    "gethostbyaddr": _gethostbyaddr,
}
"""Functions of the module, likewise."""

_STARTS: dict[str, Callable[..., Any]] = {"start": _start}
"""Likewise of `threading.Thread`."""
