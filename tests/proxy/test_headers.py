"""ygg.proxy.headers: what clients say of themselves ends here, and what servers are told."""

import pytest

from ygg.errors import ProxyError
from ygg.proxy.headers import (
    Client,
    Fields,
    framing,
    passing,
    request_fields,
    response_fields,
    target_and_host,
    upgrade_of,
)

KEY = bytes(range(32))
NODE = Client("200::1", KEY)


@pytest.mark.parametrize("name", [
    b"X-Forwarded-For", b"x-forwarded-host", b"X_Forwarded_For", b"X-Forwarded_Proto", b"Forwarded", b"X-Real-IP",
    b"X-Ygg-Public-Key", b"X_YGG_PUBLIC_KEY", b"Proxy", b"Connection", b"Keep-Alive", b"Upgrade", b"te", b"Trailer",
    b"Proxy-Authorization", b"HTTP2-Settings", b"Remote_User", b"True-Client-IP", b"X.Forwarded.For", b"X-Forwarded",
    b"X.Ygg.Public.Key", b"X-Ygg", b"X-Remote-User", b"Forwarded-For", b"Keep_Alive", b"X-Originating-IP",
])
def test_fields_that_end_here(name: bytes) -> None:
    assert (name, b"evil") not in request_fields([(b"Host", b"a"), (name, b"evil")], NODE, upgrade=None)


def test_what_a_server_is_told() -> None:
    assert request_fields([(b"Host", b"a"), (b"Cookie", b"b")], NODE, upgrade=None) == [
        (b"Host", b"a"), (b"Cookie", b"b"), (b"X-Forwarded-For", b"200::1"), (b"X-Forwarded-Proto", b"http"),
        (b"Forwarded", b'for="[200::1]";proto=http'), (b"X-Ygg-Public-Key", KEY.hex().encode())]
    told = dict(request_fields([], Client("127.0.0.1", None, "https"), upgrade=b"websocket"))
    assert told == {b"X-Forwarded-For": b"127.0.0.1", b"X-Forwarded-Proto": b"https", b"Connection": b"Upgrade",
                    b"Forwarded": b'for="127.0.0.1";proto=https', b"Upgrade": b"websocket"}


def test_what_connection_names_ends_here_but_for_what_a_message_needs() -> None:
    fields: Fields = [(b"Connection", b"close, X-Mine ,Content-Length, host"), (b"x-mine", b"1"),
                      (b"Content-Length", b"2"), (b"Host", b"a")]
    assert passing(fields) == fields[2:]
    assert response_fields(fields) == fields[2:]


def test_a_length_beside_a_coding_is_not_passed_on() -> None:
    fields: Fields = [(b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked"), (b"X", b"1")]
    assert response_fields(fields) == fields[2:]


@pytest.mark.parametrize(("fields", "ends"), [
    ([], None), ([(b"Content-Length", b"5")], b"5"), ([(b"transfer-encoding", b"Chunked")], b"chunked"),
])
def test_framing(fields: Fields, ends: bytes | None) -> None:
    assert framing(fields) == ends
    assert ((b"Transfer-Encoding", b"chunked") in request_fields(fields, NODE, upgrade=None)) == (ends == b"chunked")


@pytest.mark.parametrize("fields", [
    [(b"Content-Length", b"5"), (b"Content-Length", b"5")],
    [(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")],
    [(b"Content-Length", b"5"), (b"Content_Length", b"6")],
    [(b"Transfer-Encoding", b"chunked"), (b"Transfer_Encoding", b"identity")],
    [(b"Content_Length", b"5")],
    [(b"Transfer.Encoding", b"chunked")],
])
def test_two_ends_are_refused(fields: Fields) -> None:
    with pytest.raises(ProxyError):
        framing(fields)


@pytest.mark.parametrize(("fields", "to"), [
    ([(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"WebSocket")], b"websocket"),
    ([(b"Connection", b"Upgrade"), (b"Upgrade", b"h2c")], None),
    ([(b"Upgrade", b"websocket")], None),
    ([], None),
])
def test_upgrades(fields: Fields, to: bytes | None) -> None:
    assert upgrade_of(fields) == to


@pytest.mark.parametrize(("target", "path", "host"), [
    (b"/a?b", b"/a?b", b"own"), (b"*", b"*", b"own"), (b"http://other/a", b"/a", b"other"),
    (b"HTTP://other", b"/", b"other"),
])
def test_targets(target: bytes, path: bytes, host: bytes) -> None:
    assert target_and_host(target, [(b"Host", b"own")]) == (path, [(b"Host", host)])


@pytest.mark.parametrize("target", [b"other:443", b"ftp://a/", b"http:///a", b"http://u@a/", b"http://a?b/c", b"a/b"])
def test_targets_that_are_none(target: bytes) -> None:
    with pytest.raises(ProxyError):
        target_and_host(target, [])
