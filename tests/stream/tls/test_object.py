"""ygg.stream.tls.object: the two ways to the one OpenSSL, side by side."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from ygg.identity.certificate import Certificate
from ygg.stream.tls.contexts import client_context, dialing_context, listening_context, server_context
from ygg.stream.tls.object import TLSObject, engine_of, require_context, tls_object

CERTIFICATE = Certificate.generate()
Sides = list[TLSObject]


def contexts(kind: str) -> tuple[Any, Any]:
    """Return a client's and a server's."""
    if kind == "ssl":
        return client_context(), server_context(CERTIFICATE)
    made = dialing_context(), listening_context(CERTIFICATE)
    assert not any(isinstance(context, ssl.SSLContext) for context in made)
    return made


def carry(one: TLSObject, other: TLSObject) -> bool:
    """Carry what each has to send to the other; tell whether there was anything."""
    moved = False
    for source, target in ((one, other), (other, one)):
        size = source.unsent_size
        if data := source.take():
            assert len(data) == size
            target.feed(data)
            moved = True
        assert source.unsent_size == 0
    return moved


KINDS = [("ssl", "ssl"), ("engine", "engine"), ("ssl", "engine"), ("engine", "ssl")]


@pytest.fixture(params=KINDS, ids="-".join)
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Give both sides of a connection after their handshake."""
    client = tls_object(contexts(request.param[0])[0], False, None)
    server = tls_object(contexts(request.param[1])[1], True, None)
    done = [client.handshake(), server.handshake()]
    while carry(client, server):
        done = [client.handshake(), server.handshake()]
    assert done == [True, True]
    given = [client, server]
    del client, server
    yield given
    given.clear()       # a fixture's value outlives its test


def read(tls: TLSObject, size: int = 100_000) -> tuple[bytes, bool]:
    space = memoryview(bytearray(size))
    count, ended = tls.read_into(space)
    return bytes(space[:count]), ended


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 70_000])
def test_what_is_encrypted_is_decrypted(sides: Sides, size: int) -> None:
    client, server = sides
    data = bytes(number % 251 for number in range(size))
    for source, target in ((client, server), (server, client)):
        if size:
            source.encrypt(data)
        carry(client, server)
        assert read(target) == (data, False)
        assert target.unread == 0


def test_a_small_space_is_filled_and_the_rest_waits(sides: Sides) -> None:
    client, server = sides
    client.encrypt(b"0123456789")
    client.encrypt(b"abcdef")
    carry(client, server)
    assert server.unread > 0
    assert read(server, 4) == (b"0123", False)
    assert read(server, 4) == (b"4567", False)
    assert read(server)[0] in (b"89abcdef", b"89")
    assert read(server)[0] in (b"", b"abcdef")


def test_close_notify_is_an_end_behind_what_came_before(sides: Sides) -> None:
    client, server = sides
    client.encrypt(b"last")
    client.close_notify()
    carry(client, server)
    data, ended = read(server)
    if not ended:
        more, ended = read(server)
        data += more
    assert (data, ended) == (b"last", True)
    assert server.failure is None
    server.encrypt(b"an answer all the same")
    carry(client, server)


def test_what_came_and_was_not_read_is_kept_when_the_end_is_said(sides: Sides) -> None:
    client, server = sides
    server.encrypt(b"before")
    carry(client, server)
    client.close_notify()
    assert client.unread > 0
    assert read(client)[0] == b"before"
    assert client.failure is None


def test_nonsense_is_noted_and_is_an_end(sides: Sides) -> None:
    server = sides[1]
    server.feed(b"\x17\x03\x03\0\x20" + bytes(32))
    data, ended = read(server)
    assert (data, ended) == (b"", True)
    assert isinstance(server.failure, ssl.SSLError)


def test_they_tell_what_they_are(sides: Sides) -> None:
    client, server = sides
    assert client.ssl_object.version() == server.ssl_object.version() == "TLSv1.3"
    assert client.ssl_object.cipher() == server.ssl_object.cipher()
    assert client.ssl_object.getpeercert(binary_form=True)
    assert client.sslcontext is not server.sslcontext


@pytest.mark.parametrize("kind", ["ssl", "engine"])
def test_a_name_that_cannot_be_one(kind: str) -> None:
    with pytest.raises(UnicodeError):
        tls_object(contexts(kind)[0], False, f"{'a' * 70}.example")


@pytest.mark.parametrize("kind", ["ssl", "engine"])
def test_nonsense_in_place_of_a_handshake_raises(kind: str) -> None:
    server = tls_object(contexts(kind)[1], True, None)
    server.feed(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        server.handshake()


def test_an_engines_context_is_of_one_side() -> None:
    for context, server_side in zip(contexts("engine"), (True, False), strict=True):
        with pytest.raises(ValueError, match="other side"):
            tls_object(context, server_side, None)


def test_what_is_a_context() -> None:
    for context in (*contexts("ssl"), *contexts("engine")):
        require_context(context)
    for other in (None, True, "context", object()):
        with pytest.raises(TypeError, match=r"ssl\.SSLContext"):
            require_context(other)


def test_only_the_engines_own_can_be_driven_by_it() -> None:
    (plain, _), (own, _) = contexts("ssl"), contexts("engine")
    assert engine_of(tls_object(plain, False, None)) is None
    made = tls_object(own, False, None)
    assert engine_of(made) is made
