"""Addresses of the overlay as event loops are given them, and what name resolution says of them: without a question."""

import functools
import ipaddress
import socket
from typing import Any

from ygg.errors import ResolveError
from ygg.identity.overlay import OVERLAY

AddrInfo = tuple[int, int, int, str, tuple[str, int, int, int]]
"""What `getaddrinfo` lists: (family, type, proto, canonical name, address)."""

_KINDS = (
    (socket.SOCK_STREAM, socket.IPPROTO_TCP, "tcp"),
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP, "udp"),
    (socket.SOCK_RAW, 0, ""),
)


def literal(host: object) -> str | None:
    """Return the address of the overlay that `host` is, as text; None for anything else, names included."""
    if isinstance(host, bytes | bytearray):
        return _literal(host.decode("ascii", "replace"))
    return _literal(str(host)) if isinstance(host, str | ipaddress.IPv6Address) else None


@functools.lru_cache(4096)
def _literal(host: str) -> str | None:
    if ":" not in host:
        return None
    try:
        raw = socket.inet_pton(socket.AF_INET6, host.removeprefix("[").removesuffix("]"))
    except (OSError, ValueError):
        return None
    return socket.inet_ntop(socket.AF_INET6, raw) if ipaddress.IPv6Address(raw) in OVERLAY else None


def text(host: Any) -> Any:
    """Return a host as a VTun takes it: bytes are text, as they are to an event loop, and not 16 packed bytes."""
    return bytes(host).decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host


def addresses(host: object, port: Any, family: int, kind: int, proto: int, flags: int) -> list[AddrInfo]:
    """Return what `getaddrinfo` returns for an address of the overlay, in glibc's order.

    socket.gaierror for a family or service that it has not.
    """
    known = literal(host)
    if known is None:
        raise ResolveError(f"no such host: {host!r} is no address of the overlay")
    if family not in (socket.AF_UNSPEC, socket.AF_INET6):
        code = getattr(socket, "EAI_ADDRFAMILY", socket.EAI_FAMILY)
        raise socket.gaierror(code, "an address of the overlay is one of IPv6")
    name = known if flags & socket.AI_CANONNAME else ""
    found: list[AddrInfo] = []
    for of_kind, of_proto, protocol in _KINDS:
        if kind not in (0, of_kind) or (proto and of_proto and proto != of_proto):
            continue
        number = _service(port, protocol)
        if number is not None:
            found.append((socket.AF_INET6, of_kind, of_proto or proto, name, (known, number, 0, 0)))
            name = ""
    if not found:
        raise socket.gaierror(socket.EAI_SERVICE, f"no such service: {port!r}")
    return found


def _service(port: Any, protocol: str) -> int | None:
    """Return the number of a port, given as a number, as its digits or as a service's name."""
    if port is None:
        return 0
    word = port.decode("ascii", "replace") if isinstance(port, bytes) else port
    if isinstance(word, int) or word.isdigit():
        return int(word)
    try:
        return socket.getservbyname(word, protocol)
    except OSError:
        return None


def name_of(address: tuple[Any, ...], flags: int) -> tuple[str, str]:
    """Return what `getnameinfo` returns for an address of the overlay: there are no names, but of services."""
    known = literal(address[0])
    if known is None or flags & socket.NI_NAMEREQD:
        raise ResolveError(f"the address {address[0]!r} has no name")
    if flags & socket.NI_NUMERICSERV:
        return known, str(address[1])
    try:
        return known, socket.getservbyport(address[1], "udp" if flags & socket.NI_DGRAM else "tcp")
    except OSError:
        return known, str(address[1])
