"""The server's side of SOCKS, byte by byte: what it reads, what it answers, and what it refuses."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import YggError
from ygg.network.socks import messages
from ygg.network.socks.server import MOST_TEXT, Check, Refused, Request, failure, negotiate, success


def speak(data: bytes, check: Check | None = None) -> tuple[Request, bytes, bytes]:
    """Give an exchange what a client sends; return what it asks for, what was answered, and what was not read."""
    exchange, sent = negotiate(check), b""
    try:
        answer, wanted = next(exchange)
        while True:
            sent += answer
            assert 1 <= wanted <= 257
            assert len(data) >= wanted, "it wants more"
            taken, data = data[:wanted], data[wanted:]
            answer, wanted = exchange.send(taken)
    except StopIteration as end:
        return end.value, sent, data


def is_me(user: str, password: str) -> bool:
    return (user, password) == ("me", "secret")


@pytest.mark.parametrize(("data", "request_", "answer"), [
    (b"\5\1\0" b"\5\1\0\1\xc0\0\2\1\0\x50", Request(5, 1, "192.0.2.1", 80), b"\5\0"),
    (b"\5\2\0\2" b"\5\1\0\3\x09a.example\1\xbb", Request(5, 1, "a.example", 443), b"\5\0"),
    (b"\5\1\2" b"\1\2me\0" b"\5\1\0\4" + b"\2" + bytes(14) + b"\1\0\1", Request(5, 1, "200::1", 1, "me"), b"\5\2\1\0"),
    (b"\5\1\0" b"\5\xf0\0\3\1a\0\0", Request(5, 0xF0, "a", 0), b"\5\0"),
    (b"\4\1\0\x50\xc0\0\2\1me\0", Request(4, 1, "192.0.2.1", 80, "me"), b""),
    (b"\4\1\0\x50\0\0\0\1\0a.example\0", Request(4, 1, "a.example", 80), b""),
])
def test_requests(data: bytes, request_: Request, answer: bytes) -> None:
    assert speak(data + b"more") == (request_, answer, b"more")


def test_logging_in() -> None:
    request, answer, _ = speak(b"\5\2\0\2" b"\1\2me\6secret" b"\5\1\0\3\1a\0\1", is_me)
    assert (request.user, answer) == ("me", b"\5\2\1\0")


@pytest.mark.parametrize(("data", "check", "answer"), [
    (b"GET / HTTP/1.1\r\n", None, b""),
    (b"\x16\3\1", None, b""),
    (b"\5\0", None, b"\5\xff"),
    (b"\5\1\1", None, b"\5\xff"),
    (b"\5\1\0", is_me, b"\5\xff"),
    (b"\5\1\2\1\2me\5wrong", is_me, b"\1\1"),
    (b"\5\1\2\1\2\xff\xff\5wrong", is_me, b"\1\1"),
    (b"\5\1\2\2\2", is_me, b""),
    (b"\5\1\0\4\1\0\1", None, b""),
    (b"\5\1\0\5\1\0\2", None, b"\5\x08\0\1" + bytes(6)),
    (b"\5\1\0\5\1\0\3\0\0\1", None, b"\5\1\0\1" + bytes(6)),
    (b"\5\1\0\5\1\0\3\3a b\0\1", None, b"\5\1\0\1" + bytes(6)),
    (b"\5\1\0\5\1\0\3\2\xc3\xbc\0\1", None, b"\5\1\0\1" + bytes(6)),
    (b"\4\1\0\1\0\0\0\1\0\0", None, b"\0\x5b" + bytes(6)),
    (b"\4\1\0\1\1\2\3\4" + bytes([65] * 300), None, b"\0\x5b" + bytes(6)),
    (b"\4\1\0\1\1\2\3\4me\0", is_me, b"\0\x5b" + bytes(6)),
])
def test_what_is_refused(data: bytes, check: Check | None, answer: bytes) -> None:
    with pytest.raises(Refused) as refused:
        speak(data, check)
    assert refused.value.answer == answer


@given(st.binary() | st.binary().map(lambda tail: b"\5\1\0\5\1\0" + tail) | st.binary().map(lambda tail: b"\4" + tail))
def test_any_bytes(data: bytes) -> None:
    exchange, read = negotiate(), 0
    with contextlib.suppress(StopIteration, Refused):
        _, wanted = next(exchange)
        while read + wanted <= len(data):
            _, wanted = exchange.send(data[read : read + wanted])
            read += wanted
            assert read <= 2 * MOST_TEXT + 600


@given(st.integers(0, 255), st.sampled_from(["200::1", "1.2.3.4", "0.0.0.0"]), st.integers(0, 65535))
def test_the_client_understands_the_server(reply: int, host: str, port: int) -> None:
    request = Request(5, 1, "a", 1)
    for answer in (success(request, (host, port)), failure(request, reply)):
        exchange = messages.connect("a", 1)
        next(exchange)
        data = b"\5\0" + answer
        with contextlib.suppress(StopIteration, YggError):
            wanted = 2
            while True:
                taken, data = data[:wanted], data[wanted:]
                assert len(taken) == wanted
                _, wanted = exchange.send(taken)


def test_answers_of_version_4() -> None:
    request = Request(4, 1, "a", 1)
    assert success(request, ("1.2.3.4", 80)) == b"\0\x5a\0\x50\1\2\3\4"
    assert success(request, ("200::1", 80)) == b"\0\x5a\0\x50\0\0\0\0"
    assert failure(request, 5) == b"\0\x5b" + bytes(6)
