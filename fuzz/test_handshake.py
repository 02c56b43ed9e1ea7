"""Whatever a stranger opens a link with, the decoder gives a Meta, waits for more, or raises a HandshakeError."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import HandshakeError
from ygg.identity.keys import PrivateKey
from ygg.node.handshake import Decoder, Meta, encode

LARGEST = 6 + 0xFFFF
KEY = PrivateKey.from_seed(b"\x01" * 32)
VALID = encode(KEY, 0)
messages = st.lists(st.binary(max_size=200), max_size=5)


def feed(pieces: list[bytes], password: bytes = b"") -> Decoder | None:
    decoder = Decoder(password)
    try:
        for piece in pieces:
            decoder.feed(piece)
    except HandshakeError:
        return None
    assert decoder.meta is not None or sum(map(len, pieces)) < LARGEST
    return decoder


@given(messages)
def test_arbitrary_bytes(pieces: list[bytes]) -> None:
    feed(pieces)


@given(st.binary(max_size=400))
def test_arbitrary_bodies(body: bytes) -> None:
    feed([b"meta", len(body).to_bytes(2), body])


@given(st.integers(0, len(VALID)), st.integers(0, 8), st.binary(max_size=8))
def test_mutated_messages_never_give_another_key(place: int, length: int, patch: bytes) -> None:
    decoder = feed([VALID[:place] + patch + VALID[place + length :]])
    if decoder is not None and decoder.meta is not None:
        assert decoder.meta.key == KEY.public_key


@given(
    st.binary(min_size=32, max_size=32).map(PrivateKey.from_seed),
    st.integers(0, 255),
    st.binary(max_size=64),
    st.binary(max_size=50),
    st.lists(st.integers(0, 180), max_size=6),
)
def test_what_is_encoded_is_decoded_however_it_is_cut(
    key: PrivateKey, priority: int, password: bytes, rest: bytes, cuts: list[int]
) -> None:
    stream = encode(key, priority, password) + rest
    places = [0, *sorted(cuts), len(stream)]
    decoder = feed([stream[a:b] for a, b in pairwise(places)], password)
    assert decoder is not None
    assert decoder.meta == Meta(key.public_key, priority)
    assert decoder.rest == rest
