"""SOCKS5's client side without IO: RFC 1928, user name and password of RFC 1929."""

from collections.abc import Generator
from ipaddress import IPv4Address, ip_address

from ygg.errors import ConnectionRefused, HostUnreachable, NetworkUnreachable, ProxyError, ResolveError, YggError

VERSION = 5
"""First byte of most messages."""
NO_AUTHENTICATION, USER_AND_PASSWORD, NO_METHOD = 0, 2, 0xFF
"""Ways to log in (section 3)."""
CONNECT = 1
"""The one command used (section 4)."""
IPV4, NAME, IPV6 = 1, 3, 4
"""Kinds of address (section 5)."""

_REPLIES: dict[int, YggError] = {
    1: ProxyError("proxy: general failure"),
    2: ProxyError("proxy: not allowed by its rules"),
    3: NetworkUnreachable("proxy: network is unreachable"),
    4: HostUnreachable("proxy: no route to host"),
    5: ConnectionRefused("proxy: connection refused"),
    6: HostUnreachable("proxy: time to live expired"),
    7: ProxyError("proxy: command not supported"),
    8: ProxyError("proxy: address type not supported"),
}

Exchange = Generator[tuple[bytes, int], bytes, None]
"""Yields what to send and how many bytes to read next; is sent exactly those bytes."""


def connect(host: str, port: int, username: str = "", password: str = "") -> Exchange:
    """Ask a proxy for a connection to `host`, a name or an address, and return when it stands.

    Raises `ProxyError` when the proxy refuses or speaks nonsense, and the error of the dial when that failed.
    """
    methods = [NO_AUTHENTICATION, USER_AND_PASSWORD] if username else [NO_AUTHENTICATION]
    version, method = yield bytes([VERSION, len(methods), *methods]), 2
    if version != VERSION:
        raise ProxyError("proxy does not speak SOCKS5")
    if method not in methods:
        raise ProxyError("proxy wants authentication" if method in (NO_METHOD, 2) else "proxy: unknown method")
    request = bytes([VERSION, CONNECT, 0]) + _address(host) + port.to_bytes(2, "big")
    if method == USER_AND_PASSWORD:
        # RFC 1929 has at least a byte of password; proxies that ask for a user alone take none.
        secret = _counted(password, "password", least=0)
        _, status = yield b"\1" + _counted(username, "user name") + secret, 2
        if status != 0:
            raise ProxyError("proxy: wrong user name or password")
    version, reply, _, kind = yield request, 4
    if version != VERSION:
        raise ProxyError("proxy does not speak SOCKS5")
    if reply != 0:
        error = _REPLIES.get(reply)
        raise type(error)(str(error)) if error else ProxyError(f"proxy: failure {reply}")
    # The address the proxy dials from: it is not needed, but it has to be read.
    if kind == NAME:
        (length,) = yield b"", 1
    elif kind in (IPV4, IPV6):
        length = 4 if kind == IPV4 else 16
    else:
        raise ProxyError("proxy: unknown address type in its reply")
    yield b"", length + 2


def _address(host: str) -> bytes:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return bytes([NAME]) + _counted(_encoded(host), "host name")
    return bytes([IPV4 if isinstance(address, IPv4Address) else IPV6]) + address.packed


def _encoded(host: str) -> bytes:
    if host.isascii():
        return host.encode()
    try:
        return host.encode("idna")
    except UnicodeError:
        raise ResolveError(f"{host[:64]!r} is not a host name") from None


def _counted(text: str | bytes, what: str, *, least: int = 1) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    if not least <= len(data) <= 255:
        raise ProxyError(f"{what} of {len(data)} bytes: SOCKS5 takes {least} to 255")
    return bytes([len(data)]) + data
