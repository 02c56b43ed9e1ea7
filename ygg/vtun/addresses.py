"""Overlay addresses between the forms programs use (host text, 16 raw bytes, socket 4-tuples), and errno as errors."""

import contextlib
import errno
import functools
import ipaddress
import os
import socket
from typing import Protocol

from ygg.errors import ResolveError, from_os_error
from ygg.identity.address import address_of
from ygg.identity.keys import PUBLIC_SIZE

SocketAddress = tuple[str, int, int, int]
"""A socket address as the standard library gives it for IPv6: (host, port, flow information, scope)."""

Host = str | bytes | ipaddress.IPv6Address
"""A numeric IPv6 address: text, 16 packed bytes, or the standard library's object; or a node's public key, which stands
for the node's address: 32 bytes, or 64 hex digits."""


class Resolver(Protocol):
    """Knows hosts by their names, as `ygg.names.Names` does."""

    async def resolve(self, name: str) -> Host:
        """Return the address or key of a name. Raises a `ResolveError` for one that it does not know."""


WILDCARD = bytes(16)
"""The unspecified address, packed: any of ours."""


def failure(code: int, detail: str = "") -> OSError:
    """Return the ygg error for an errno, with the system's text for it and `detail`."""
    text = os.strerror(code)
    return from_os_error(OSError(code, f"{text}: {detail}" if detail else text))


@functools.lru_cache(4096)
def packed(host: Host) -> bytes:
    """Return the 16 bytes of a numeric host.

    Raises ResolveError (a socket.gaierror) for anything else, as name resolution does; names are `found()` before.
    """
    if isinstance(host, ipaddress.IPv6Address):
        return host.packed
    if isinstance(host, bytes) and len(host) == 16:
        return host
    if (raw := _numeric(host)) is not None:
        return raw
    if (key := key_in(host)) is not None:
        return address_of(key).packed
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    raise ResolveError(f"no such host: {text!r} is neither a numeric IPv6 address nor a key")


@functools.lru_cache(4096)
def key_in(host: Host) -> bytes | None:
    """Return the public key that `host` is, if it is one: 32 bytes that spell no address, or 64 hex digits."""
    if isinstance(host, bytes) and len(host) == PUBLIC_SIZE:
        return host if _numeric(host) is None else None
    if isinstance(host, str | bytes) and len(host) == 2 * PUBLIC_SIZE:
        with contextlib.suppress(ValueError):  # UnicodeError among them
            key = bytes.fromhex(host if isinstance(host, str) else host.decode("ascii"))
            return key if len(key) == PUBLIC_SIZE else None  # spaces between the digits are allowed there
    return None


async def found(host: Host, names: Resolver | None) -> Host:
    """Return the host that a name is of, where there are `names`; numeric hosts and keys are what they are."""
    if names is None or not host or not isinstance(host, str) or _numeric(host) is not None or key_in(host) is not None:
        return host
    return await names.resolve(host)


def _numeric(host: str | bytes) -> bytes | None:
    """Return the 16 bytes of an address that is spelled, None for any other text."""
    try:
        text = host if isinstance(host, str) else host.decode("ascii")
        return socket.inet_pton(socket.AF_INET6, text.removeprefix("[").removesuffix("]"))
    except (OSError, ValueError):
        return None


@functools.lru_cache(4096)
def destination(host: Host) -> bytes:
    """Return the 16 bytes of a host on the overlay; EHOSTUNREACH for an address outside 200::/7."""
    raw = packed(host)
    if raw[0] & 0xFE != 0x02:
        raise failure(errno.EHOSTUNREACH, f"{socket.inet_ntop(socket.AF_INET6, raw)} is not in 200::/7")
    return raw


def bindable(host: Host | None) -> bytes | None:
    """Return the 16 bytes of an address to bind; None for all addresses of the stack (None, "" and "::")."""
    raw = packed(host) if host else WILDCARD
    return None if raw == WILDCARD else raw


def check_port(port: int | str | None) -> int:
    """Return the port as a number from 0 to 65535 (None is 0); OverflowError beyond, as a socket raises."""
    number = int(port or 0)
    if not 0 <= number <= 65535:
        raise OverflowError("port must be 0-65535.")
    return number


def remote_end(host: Host, port: int | str | None) -> tuple[bytes, int]:
    """Return what to connect or send to: the 16 bytes of `host` and a port; EADDRNOTAVAIL for port 0."""
    number = check_port(port)
    if number == 0:
        raise failure(errno.EADDRNOTAVAIL, "port 0 is no destination")
    return destination(host), number


@functools.lru_cache(4096)
def endpoint(raw: bytes, port: int) -> SocketAddress:
    """Return the socket 4-tuple of a packed address and a port."""
    return socket.inet_ntop(socket.AF_INET6, raw), port, 0, 0


def split(address: tuple[object, ...], what: str) -> tuple[Host | None, int]:
    """Return (host, port) of a 2-tuple or of a socket 4-tuple given as `what`."""
    if not isinstance(address, tuple) or len(address) < 2:
        raise TypeError(f"{what} must be a (host, port) tuple, not {address!r}")
    host, port = address[:2]
    if not (host is None or isinstance(host, Host)) or not isinstance(port, int):
        raise TypeError(f"{what} must be a (host, port) tuple, not {address!r}")
    return host, check_port(port)
