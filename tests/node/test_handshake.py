"""ygg.node.handshake: the message both sides open a link with."""

import pytest

from ygg.errors import (
    HandshakeError,
    HandshakeKeyError,
    HandshakeLengthError,
    IncompatibleVersionError,
    KeyNotAllowedError,
    KeyNotPinnedError,
    NotYggdrasilError,
    SelfConnectionError,
    WrongPasswordError,
)
from ygg.identity.keys import PrivateKey
from ygg.node.handshake import Decoder, Meta, check_key, check_version, encode

KEY_01 = PrivateKey.from_seed(b"\x01" * 32)
KEY_02 = PrivateKey.from_seed(b"\x02" * 32)

PLAIN = bytes.fromhex(
    "6d6574610075000000020000000100020005000200208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121b"
    "f3748801b40f6f5c0003000100e9de40fe9cabf47382ce8f2ae0352a6280478a061ce6c5850b7841a1e695c87821"
    "800906916bfe33035008b8df713ad64b5d3ee359eb354cd0f6719a033c6300"
)
WITH_FOO = bytes.fromhex(
    "6d6574610075000000020000000100020005000200208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121b"
    "f3748801b40f6f5c00030001002f97d307c332ec89b7e81d998b7810ab8e5132d613d5670184d5414e068216d4e2"
    "e2f6eceab091a4778dd31799b58f040546da3609ea845661b9a773cd9ac107"
)


def decode(message: bytes, password: bytes = b"") -> Meta:
    decoder = Decoder(password)
    assert decoder.feed(message)
    assert decoder.meta is not None
    return decoder.meta


def framed(*fields: tuple[int, bytes], tail: bytes = b"", signature: bytes = PLAIN[-64:]) -> bytes:
    body = b"".join(kind.to_bytes(2) + len(value).to_bytes(2) + value for kind, value in fields) + tail + signature
    return b"meta" + len(body).to_bytes(2) + body


MAJOR, MINOR, KEY, PRIORITY = (0, b"\0\0"), (1, b"\0\5"), (2, KEY_01.public_key), (3, b"\7")


@pytest.mark.parametrize(("password", "vector"), [(b"", PLAIN), (b"foo", WITH_FOO)])
def test_vectors(password: bytes, vector: bytes) -> None:
    assert encode(KEY_01, 0, password) == vector
    assert decode(vector, password) == Meta(KEY_01.public_key, 0, (0, 5))


def test_the_priority_is_outside_the_signature() -> None:
    message = encode(KEY_01, 7)
    assert message == PLAIN[:58] + b"\7" + PLAIN[59:]
    assert decode(message).priority == 7


@pytest.mark.parametrize("step", [1, 5, 6, 122])
def test_the_message_comes_in_any_pieces(step: int) -> None:
    decoder = Decoder()
    done = [decoder.feed(PLAIN[place : place + step]) for place in range(0, len(PLAIN), step)]
    assert done == [False] * (len(done) - 1) + [True]


def test_what_follows_the_message_is_kept_for_the_link() -> None:
    decoder = Decoder()
    assert decoder.rest == b""
    assert decoder.feed(PLAIN + b"\1\1")
    assert decoder.rest == b"\1\1"
    assert decoder.feed(b"\2")
    assert decoder.rest == b"\1\1\2"


def test_fields_come_in_any_order_unknown_ones_are_skipped_and_the_last_of_a_kind_counts() -> None:
    message = framed((9, b"future"), PRIORITY, (2, bytes(32)), KEY, MINOR, MAJOR, (3, b"\x09"), (4, b""))
    assert decode(message) == Meta(KEY_01.public_key, 9, (0, 5))


def test_missing_versions_read_as_zero() -> None:
    assert decode(framed(KEY)).version == (0, 0)


@pytest.mark.parametrize("message", [b"HTTP/1.1 400", b"\x16\x03", b"m\0", b"meta\0"[:3] + b"b"])
def test_another_protocol_is_known_by_its_first_wrong_byte(message: bytes) -> None:
    with pytest.raises(NotYggdrasilError, match="remote side is not Yggdrasil"):
        Decoder().feed(message)


@pytest.mark.parametrize(
    "message",
    [
        b"meta\0\x3f",
        framed(KEY, (0, b"\0")),
        framed(KEY, (1, b"\0\0\5")),
        framed((2, bytes(31))),
        framed(KEY, (3, b"")),
        framed(KEY, tail=b"\0"),
        framed(KEY, tail=b"\0\x09\0"),
        framed(KEY, tail=b"\0\x09\0\1"),
        framed(tail=b"\0\2\0\x20" + bytes(31)),
    ],
)
def test_lengths_must_add_up(message: bytes) -> None:
    with pytest.raises(HandshakeLengthError, match="possible version mismatch"):
        Decoder().feed(message)


def test_a_message_without_a_key_is_refused() -> None:
    with pytest.raises(HandshakeKeyError, match="invalid hash length"):
        Decoder().feed(framed(MAJOR, MINOR))


@pytest.mark.parametrize(
    ("message", "password"),
    [(PLAIN, b"foo"), (WITH_FOO, b""), (WITH_FOO, b"bar"), (PLAIN[:-1] + b"\1", b""), (framed((2, bytes(32))), b"")],
)
def test_the_signature_must_fit_key_and_password(message: bytes, password: bytes) -> None:
    with pytest.raises(WrongPasswordError, match="password does not match remote side"):
        Decoder(password).feed(message)


@pytest.mark.parametrize("version", [(0, 4), (0, 6), (1, 5)])
def test_only_the_exact_version_will_do(version: tuple[int, int]) -> None:
    check_version(Meta(KEY_01.public_key))
    with pytest.raises(IncompatibleVersionError, match=r"\(local 0\.5, remote {}\.{}\)".format(*version)):
        check_version(Meta(KEY_01.public_key, version=version))


def test_keys_are_refused_in_the_protocols_order() -> None:
    own, other = KEY_01.public_key, KEY_02.public_key
    check_key(Meta(other), own)
    check_key(Meta(other), own, pinned=[other], allowed=[other])
    check_key(Meta(other), own, allowed=[])
    with pytest.raises(SelfConnectionError):
        check_key(Meta(own), own, pinned=[other], allowed=[other])
    with pytest.raises(KeyNotPinnedError):
        check_key(Meta(other), own, pinned=[own], allowed=[own])
    with pytest.raises(KeyNotAllowedError, match=f'"{other.hex()}" is not in AllowedPublicKeys'):
        check_key(Meta(other), own, allowed=[own])


def test_every_refusal_is_a_connection_error() -> None:
    assert issubclass(HandshakeError, ConnectionError)
