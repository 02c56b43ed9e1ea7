"""SOCKS5's client side without IO: RFC 1928, user name and password of RFC 1929."""

from collections.abc import Generator

from ygg.errors import ProxyError
from ygg.network.socks.wire import (
    CONNECT,
    IPV4,
    IPV6,
    NAME,
    NO_AUTHENTICATION,
    NO_METHOD,
    REPLIES,
    USER_AND_PASSWORD,
    VERSION,
    address,
    counted,
)

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
    request = bytes([VERSION, CONNECT, 0]) + address(host) + port.to_bytes(2, "big")
    if method == USER_AND_PASSWORD:
        # RFC 1929 has at least a byte of password; proxies that ask for a user alone take none.
        secret = counted(password, "password", least=0)
        _, status = yield b"\1" + counted(username, "user name") + secret, 2
        if status != 0:
            raise ProxyError("proxy: wrong user name or password")
    version, reply, _, kind = yield request, 4
    if version != VERSION:
        raise ProxyError("proxy does not speak SOCKS5")
    if reply != 0:
        error = REPLIES.get(reply)
        raise type(error)(str(error)) if error else ProxyError(f"proxy: failure {reply}")
    # The address the proxy dials from: it is not needed, but it has to be read.
    if kind == NAME:
        (length,) = yield b"", 1
    elif kind in (IPV4, IPV6):
        length = 4 if kind == IPV4 else 16
    else:
        raise ProxyError("proxy: unknown address type in its reply")
    yield b"", length + 2
