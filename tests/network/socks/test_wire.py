"""ygg.network.socks.wire: what client and server share."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import ConnectionRefused, ConnectTimeout, ProxyError, ResolveError, from_os_error
from ygg.network.socks.wire import (
    EXPIRED,
    FAILED,
    HOST_UNREACHABLE,
    NETWORK_UNREACHABLE,
    NOT_ALLOWED,
    REFUSED,
    REPLIES,
    MalformedHeader,
    address,
    counted,
    datagram_header,
    destination,
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


@pytest.mark.parametrize(("header", "host"), [
    (b"\1\x7f\0\0\1\0\x35", "127.0.0.1"), (b"\4" + bytes(15) + b"\1\0\x35", "::1"), (b"\3\4name\0\x35", "name"),
])
def test_headers_of_datagrams(header: bytes, host: str) -> None:
    data = b"\0\0\0" + header + b"payload"
    size = datagram_header(data)
    assert (data[3:size], data[size:]) == (header, b"payload")
    assert destination(header) == (host, 53)
    for length in range(size):
        with pytest.raises(MalformedHeader):
            datagram_header(data[:length])


@given(st.binary(max_size=40))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        size = datagram_header(data)
        host, port = destination(data[3:size])
    except MalformedHeader:
        return
    assert host
    assert 0 <= port <= 65535
    assert size <= len(data)
