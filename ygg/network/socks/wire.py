"""The parts of SOCKS messages that client and server share: numbers, addresses, errors (RFC 1928, RFC 1929, 4a)."""

from __future__ import annotations

import errno
import re
import socket
from ipaddress import IPv4Address, ip_address

from ygg.errors import ConnectionRefused, HostUnreachable, NetworkUnreachable, ProxyError, ResolveError, YggError

VERSION, VERSION_4 = 5, 4
"""First byte of most messages."""
NO_AUTHENTICATION, USER_AND_PASSWORD, NO_METHOD = 0, 2, 0xFF
"""Ways to log in (RFC 1928, section 3)."""
CONNECT, BIND, ASSOCIATE = 1, 2, 3
"""Commands (RFC 1928, section 4)."""
RESOLVE, RESOLVE_PTR = 0xF0, 0xF1
"""Commands that Tor has added: a name's address, and an address's name (its socks-extensions document)."""
IPV4, NAME, IPV6 = 1, 3, 4
"""Kinds of address (RFC 1928, section 5)."""
SUCCEEDED, FAILED, NOT_ALLOWED, NETWORK_UNREACHABLE, HOST_UNREACHABLE, REFUSED = range(6)
"""Replies (RFC 1928, section 6)."""
EXPIRED, NO_COMMAND, NO_ADDRESS = range(6, 9)
"""Further replies."""
GRANTED_4, REJECTED_4 = 0x5A, 0x5B
"""Replies of version 4."""

HOST = re.compile(r"[!-~]{1,255}")
"""What may be a host."""

REPLIES: dict[int, YggError] = {
    FAILED: ProxyError("proxy: general failure"),
    NOT_ALLOWED: ProxyError("proxy: not allowed by its rules"),
    NETWORK_UNREACHABLE: NetworkUnreachable("proxy: network is unreachable"),
    HOST_UNREACHABLE: HostUnreachable("proxy: no route to host"),
    REFUSED: ConnectionRefused("proxy: connection refused"),
    EXPIRED: HostUnreachable("proxy: time to live expired"),
    NO_COMMAND: ProxyError("proxy: command not supported"),
    NO_ADDRESS: ProxyError("proxy: address type not supported"),
}
"""What each reply but the first means to a client."""

_CODES = {
    errno.ECONNREFUSED: REFUSED,
    errno.ENETUNREACH: NETWORK_UNREACHABLE,
    errno.ENETDOWN: NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: HOST_UNREACHABLE,
    errno.ETIMEDOUT: HOST_UNREACHABLE,
    errno.EACCES: NOT_ALLOWED,
    errno.EPERM: NOT_ALLOWED,
    errno.EOPNOTSUPP: NO_COMMAND,
}


def reply_for(error: OSError) -> int:
    """Return the reply that tells a client of an error."""
    if isinstance(error, ResolveError):
        return HOST_UNREACHABLE
    if isinstance(error, TimeoutError):
        return HOST_UNREACHABLE
    return _CODES.get(error.errno or 0, FAILED)


def address(host: str) -> bytes:
    """Return the kind and the bytes of a host. Raises `ProxyError` and `ResolveError` for what is none."""
    try:
        numeric = ip_address(host.partition("%")[0])
    except ValueError:
        return bytes([NAME]) + counted(encoded(host), "host name")
    return bytes([IPV4 if isinstance(numeric, IPv4Address) else IPV6]) + numeric.packed


def encoded(host: str) -> bytes:
    """Return the bytes of a name; of one that is not ASCII by IDNA."""
    if host.isascii():
        return host.encode()
    try:
        return host.encode("idna")
    except UnicodeError:
        raise ResolveError(f"{host[:64]!r} is not a host name") from None


def counted(text: str | bytes, what: str, *, least: int = 1) -> bytes:
    """Return the bytes with their number in front. Raises `ProxyError` for more than 255, or fewer than `least`."""
    data = text.encode() if isinstance(text, str) else text
    if not least <= len(data) <= 255:
        raise ProxyError(f"{what} of {len(data)} bytes: SOCKS5 takes {least} to 255")
    return bytes([len(data)]) + data


class MalformedHeader(ProxyError):
    """The header of a datagram is none."""

    text = "malformed header of a datagram"


def datagram_header(data: bytes) -> int:
    """Return how many bytes the header of a datagram has that goes through a proxy (RFC 1928, section 7).

    Those are two zeros, the fragment's number, the kind of address, the address and the port. Raises `MalformedHeader`.
    """
    if len(data) < 5 or data[0] or data[1]:
        raise MalformedHeader
    kind = data[3]
    size = 10 if kind == IPV4 else 22 if kind == IPV6 else 7 + data[4] if kind == NAME and data[4] else 0
    if not size or len(data) < size:
        raise MalformedHeader
    return size


def destination(header: bytes) -> tuple[str, int]:
    """Return host and port of an address as messages have it: kind, address and port. Raises `MalformedHeader`."""
    kind, port = header[0], int.from_bytes(header[-2:])
    if kind != NAME:
        return socket.inet_ntop(socket.AF_INET if kind == IPV4 else socket.AF_INET6, header[1:-2]), port
    host = header[2:-2].decode("ascii", "replace")
    if not HOST.fullmatch(host):
        raise MalformedHeader
    return host, port
