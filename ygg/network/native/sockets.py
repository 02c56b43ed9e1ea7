"""Sockets of the operating system, bound and ready to be connected or to listen."""

import errno
import os
import socket
import stat
import sys
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from ygg.errors import PathTooLong, ResolveError
from ygg.network.addresses import IPAddress, with_zone
from ygg.network.native.inherited import keep_from_children
from ygg.network.native.interface import bind_to_device, choose_source

MOST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a UNIX socket's path: `sun_path` without its last NUL (unix(7))."""


def sockaddr_of(address: str, port: int, interface: str | None) -> tuple[socket.AddressFamily, Any]:
    """Return the family and the kernel's form of a numeric address, its zone resolved."""
    address = with_zone(address, interface)
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError as error:
        raise ResolveError(f"{address}: {error.strerror}") from None
    return found[0][0], found[0][4]


def dialing_socket(
    address: str, port: int, interface: str | None, hints: Iterable[IPAddress]
) -> tuple[socket.socket, Any]:
    """Return a socket bound to its source, and what it is to connect to. Raises an `OSError`."""
    family, sockaddr = sockaddr_of(address, port, interface)
    source = choose_source(interface, hints, address)
    sock = new_socket(family, socket.SOCK_STREAM)
    try:
        if interface:
            bind_to_device(sock, interface)
        if source:
            sock.bind(sockaddr_of(source, 0, None)[1])
    except OSError:
        sock.close()
        raise
    return sock, sockaddr


def listening_socket(address: str, port: int, interface: str | None, backlog: int) -> socket.socket:
    """Return a socket that listens at a numeric address. Raises an `OSError`."""
    family, sockaddr = sockaddr_of(address, port, interface)
    sock = new_socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if interface:
            bind_to_device(sock, interface)
        _serve_both_families(sock, address)
        sock.bind(sockaddr)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def datagram_socket(
    local: tuple[str, int] | None, remote: tuple[str, int] | None, interface: str | None
) -> socket.socket:
    """Return a bound and connected socket; `local` and `remote` are numeric."""
    ends = [sockaddr_of(*end, interface) if end else None for end in (local, remote)]
    family = next(end[0] for end in ends if end)
    sock = new_socket(family, socket.SOCK_DGRAM)
    try:
        if interface:
            bind_to_device(sock, interface)
        if local and ends[0]:
            _serve_both_families(sock, local[0])
            sock.bind(ends[0][1])
        if ends[1]:
            sock.connect(ends[1][1])
    except OSError:
        sock.close()
        raise
    return sock


def new_socket(family: int, kind: int) -> socket.socket:
    """Return a socket that does not block, and that children of a fork cannot use."""
    sock = keep_from_children(socket.socket(family, kind))
    sock.setblocking(False)
    return sock


def _serve_both_families(sock: socket.socket, address: str) -> None:
    """Let a socket bound to `::` serve IPv4 too, whatever the system's default."""
    if sock.family == socket.AF_INET6 and ip_address(address).is_unspecified:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)


def check_path(path: str) -> None:
    """Raise `PathTooLong` for a path that has no room in the system's socket addresses."""
    size = len(os.fsencode(path))
    if size > MOST_PATH:
        raise PathTooLong(f"{path[:80]}…: {size} bytes, where a UNIX socket's path has at most {MOST_PATH}")


def bind_path(sock: socket.socket, path: str) -> None:
    """Bind to `path`, replacing a socket that no process serves any more."""
    try:
        sock.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not stat.S_ISSOCK(os.stat(path).st_mode):
            raise
        with new_socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(path) != errno.ECONNREFUSED:
                raise
        os.unlink(path)
        sock.bind(path)


def wildcard() -> str:
    """Return what binds every address of this machine."""
    return "::" if socket.has_ipv6 else "0.0.0.0"
