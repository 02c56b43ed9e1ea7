"""The server's side of SOCKS 4, 4a and 5 without IO: RFC 1928, RFC 1929, and what SOCKS 4 and 4A were described as.

What a client sends is bounded by the protocol's own lengths, 255 bytes each; strings of version 4, which has none, by
`MOST_TEXT`. Where it speaks nonsense, the exchange ends with `Refused`, which has what is still to be answered.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import TypeVar

from ygg.errors import ProxyError
from ygg.network.socks.wire import (
    FAILED,
    GRANTED_4,
    HOST,
    IPV4,
    IPV6,
    NAME,
    NO_ADDRESS,
    NO_AUTHENTICATION,
    NO_METHOD,
    REJECTED_4,
    SUCCEEDED,
    USER_AND_PASSWORD,
    VERSION,
    VERSION_4,
    address,
)

T = TypeVar("T")

MOST_TEXT = 255
"""Bytes of a user or host name of version 4."""

Check = Callable[[str, str], bool]
"""Tells whether a user with a password may pass."""
Exchange = Generator[tuple[bytes, int], bytes, T]
"""Yields what to send and how many bytes to read next; is sent exactly those bytes."""


class Refused(ProxyError):
    """A client that is turned away."""

    text = "client refused"

    def __init__(self, text: str, answer: bytes = b"") -> None:
        super().__init__(text)
        self.answer = answer
        """What it is told."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for."""

    version: int
    """4 or 5."""
    command: int
    """CONNECT or another, see `wire`."""
    host: str
    """A name, or a numeric address."""
    port: int
    """From 0 to 65535."""
    user: str = ""
    """Who it says it is."""


def negotiate(check: Check | None = None) -> Exchange[Request]:
    """Talk to a client until it has said what it wants; with `check` it has to log in.

    Without `check` a client that insists on logging in may, as anyone. Raises `Refused`.
    """
    (version,) = yield b"", 1
    if version == VERSION_4:
        return (yield from _version_4(check))
    if version != VERSION:
        raise Refused("not SOCKS")
    (count,) = yield b"", 1
    methods = (yield b"", count) if count else b""
    wanted = [USER_AND_PASSWORD] if check else [NO_AUTHENTICATION, USER_AND_PASSWORD]
    method = next((method for method in wanted if method in methods), NO_METHOD)
    answer = bytes([VERSION, method])
    if method == NO_METHOD:
        raise Refused("no way to log in that is both offered and accepted", answer)
    user = ""
    if method == USER_AND_PASSWORD:
        user, answer = yield from _log_in(answer, check)
    return (yield from _request_5(answer, user))


def _log_in(answer: bytes, check: Check | None) -> Exchange[tuple[str, bytes]]:
    version, size = yield answer, 2
    if version != 1:
        raise Refused("not the messages of RFC 1929")
    user = (yield b"", size) if size else b""
    (size,) = yield b"", 1
    password = (yield b"", size) if size else b""
    try:
        passes = check is None or check(user.decode(), password.decode())
    except UnicodeDecodeError:
        passes = False
    if not passes:
        raise Refused("wrong user name or password", b"\1\1")
    return user.decode("utf-8", "replace"), b"\1\0"


def _request_5(answer: bytes, user: str) -> Exchange[Request]:
    version, command, _, kind = yield answer, 4
    if version != VERSION:
        raise Refused("not SOCKS5")
    if kind == NAME:
        (size,) = yield b"", 1
        raw = yield b"", size + 2
        host = raw[:-2].decode("ascii", "replace")
    elif kind in (IPV4, IPV6):
        raw = yield b"", (4 if kind == IPV4 else 16) + 2
        host = socket.inet_ntop(socket.AF_INET if kind == IPV4 else socket.AF_INET6, raw[:-2])
    else:
        raise Refused("unknown kind of address", failure_5(NO_ADDRESS))
    if not HOST.fullmatch(host):
        raise Refused("not a host name", failure_5(FAILED))
    return Request(VERSION, command, host, int.from_bytes(raw[-2:]), user)


def _version_4(check: Check | None) -> Exchange[Request]:
    head = yield b"", 7
    user = yield from _text()
    command, port, raw = head[0], int.from_bytes(head[1:3]), head[3:]
    host = socket.inet_ntop(socket.AF_INET, raw)
    if raw[:3] == bytes(3) and raw[3]:
        host = yield from _text()
    if check is not None:
        raise Refused("version 4 has no passwords", rejection_4())
    if not HOST.fullmatch(host):
        raise Refused("not a host name", rejection_4())
    return Request(VERSION_4, command, host, port, user)


def _text() -> Exchange[str]:
    """Read up to a NUL."""
    text = bytearray()
    while (byte := (yield b"", 1)) != b"\0":
        text += byte
        if len(text) > MOST_TEXT:
            raise Refused("a name that does not end", rejection_4())
    return text.decode("latin-1")


def success(request: Request, bound: tuple[str, int] = ("0.0.0.0", 0)) -> bytes:
    """Return the answer to a request that was granted; `bound` is the address that it is granted from."""
    host, port = bound
    if request.version == VERSION:
        return bytes([VERSION, SUCCEEDED, 0]) + address(host) + port.to_bytes(2)
    numeric = ip_address(host.partition("%")[0])
    raw = numeric.packed if isinstance(numeric, IPv4Address) else bytes(4)
    return bytes([0, GRANTED_4]) + port.to_bytes(2) + raw


def failure(request: Request, reply: int) -> bytes:
    """Return the answer to a request that was not granted, with a reply of version 5."""
    return failure_5(reply) if request.version == VERSION else rejection_4()


def failure_5(reply: int) -> bytes:
    """Return a failure of version 5."""
    return bytes([VERSION, reply, 0, IPV4]) + bytes(6)


def rejection_4() -> bytes:
    """Return a failure of version 4, which has one."""
    return bytes([0, REJECTED_4]) + bytes(6)
