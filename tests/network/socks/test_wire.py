"""ygg.network.socks.wire: what client and server share."""

import errno

import pytest

from ygg.errors import ConnectionRefused, ConnectTimeout, ProxyError, ResolveError, from_os_error
from ygg.network.socks.wire import (
    EXPIRED,
    FAILED,
    HOST_UNREACHABLE,
    NETWORK_UNREACHABLE,
    NOT_ALLOWED,
    REFUSED,
    REPLIES,
    address,
    counted,
    reply_for,
)


@pytest.mark.parametrize(("error", "reply"), [
    (ConnectionRefused(), REFUSED),
    (ConnectTimeout(), HOST_UNREACHABLE),
    (TimeoutError(), HOST_UNREACHABLE),
    (ResolveError(), HOST_UNREACHABLE),
    (from_os_error(OSError(errno.ENETUNREACH, "")), NETWORK_UNREACHABLE),
    (PermissionError(errno.EACCES, ""), NOT_ALLOWED),
    (OSError("nothing known"), FAILED),
])
def test_replies(error: OSError, reply: int) -> None:
    assert reply_for(error) == reply


def test_a_client_knows_each_reply() -> None:
    for reply in (REFUSED, HOST_UNREACHABLE, NETWORK_UNREACHABLE, EXPIRED):
        assert isinstance(REPLIES[reply], OSError)
    assert reply_for(REPLIES[REFUSED]) == REFUSED  # type: ignore[arg-type]


def test_addresses() -> None:
    assert address("192.0.2.1") == b"\1\xc0\0\2\1"
    assert address("200::1")[:2] == b"\4\2"
    assert address("a.example") == b"\3\x09a.example"
    with pytest.raises(ProxyError):
        counted(bytes(256), "name")
