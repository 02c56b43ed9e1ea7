"""Any bytes decode to a message that encodes to its shortest form and back, or fail with ErrDecode."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg_c.base.sodium import SeededRandom
from ygg_c.link import wire
from ygg_c.link.link import PySink
from ygg_c.testing.routers import RouterTap

U64 = st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1))
KEY = st.binary(min_size=32, max_size=32)
SIG = st.binary(min_size=64, max_size=64)
PATH = st.lists(U64.filter(bool), max_size=12)
FIELDS: dict[int, dict[str, st.SearchStrategy[Any]]] = {
    2: {"seq": U64, "nonce": U64},
    3: {"seq": U64, "nonce": U64, "port": U64, "psig": SIG},
    4: {"node": KEY, "parent": KEY, "seq": U64, "nonce": U64, "port": U64, "psig": SIG, "sig": SIG},
    6: {"source": KEY, "dest": KEY, "from": PATH},
    7: {"path": PATH, "watermark": U64, "source": KEY, "dest": KEY, "seq": U64, "info_path": PATH, "sig": SIG},
    8: {"path": PATH, "watermark": U64, "source": KEY, "dest": KEY},
    9: {"path": PATH, "from": PATH, "source": KEY, "dest": KEY, "watermark": U64, "payload": st.binary(max_size=300)},
}
MESSAGES = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.fixed_dictionaries(FIELDS[kind]))
)


@given(U64)
def test_integers(value: int) -> None:
    encoded = wire.encode_uv(value)
    assert wire.decode_uv(encoded) == (value, len(encoded))


@given(MESSAGES)
def test_messages(message) -> None:
    kind, fields = message
    assert wire.decode(kind, wire.encode(kind, **fields)) == fields


@given(st.integers(0, 255), st.binary(max_size=400))
def test_any_body(kind: int, body: bytes) -> None:
    with contextlib.suppress(ValueError):
        fields = wire.decode(kind, body)
        shortest = wire.encode(kind, **fields)
        assert len(shortest) <= len(body)
        assert wire.decode(kind, shortest) == fields


@given(MESSAGES, st.data())
def test_mutated_bodies(message, data) -> None:
    kind, fields = message
    body = bytearray(wire.encode(kind, **fields))
    for _ in range(data.draw(st.integers(1, 4))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        fields = wire.decode(kind, bytes(body))
        assert wire.decode(kind, wire.encode(kind, **fields)) == fields


@given(st.binary(max_size=40), st.integers(0, 45))
def test_any_integer(data: bytes, offset: int) -> None:
    try:
        value, end = wire.decode_uv(data, offset)
    except ValueError:
        return
    assert offset < end <= min(len(data), offset + 10)
    assert 0 <= value < 2**64


NAMES = {"ErrDecode", "ErrEmptyMessage", "ErrOversizedMessage", "ErrUnrecognizedMessage", "ErrBadMessage"}
STREAM = st.lists(
    st.one_of(
        st.binary(max_size=60),
        MESSAGES.map(lambda message: wire.encode_frame(message[0], wire.encode(message[0], **message[1]))),
        st.tuples(st.integers(0, 12), st.binary(max_size=100)).map(lambda frame: wire.encode_frame(*frame)),
    ),
    max_size=12,
)


@given(STREAM, st.lists(st.integers(1, 70), min_size=1, max_size=8))
def test_any_stream(parts: list[bytes], sizes: list[int]) -> None:
    """A link takes any bytes in any pieces, or closes under the name of an error; pieces do not matter."""
    stream = b"".join(parts)
    outcomes = []
    for pieces in ([len(stream) + 1], sizes):
        router = RouterTap(bytes(32) + b"\x01" * 32, random=SeededRandom(1))
        router.turn(10**9, 1_700_000_000)
        link = router.add_link(b"\x02" * 32, 0, PySink(lambda link: link.take(1 << 20)))
        at = step = 0
        while at < len(stream):
            size = pieces[step % len(pieces)]
            if not link.receive(stream[at : at + size]):
                break
            at += size
            step += 1
        router.turn(10**9 + 1, 1_700_000_000)
        assert not link.closed or link.error in NAMES
        outcomes.append((link.error, router.take_delivered(), router.counters(), router.tree_records()))
        router.close()
        del link
    assert outcomes[0] == outcomes[1]


def test_every_cut_of_a_notify_fails() -> None:
    body = wire.encode(7, path=[1], watermark=1, source=bytes(32), dest=bytes(32), seq=1, info_path=[], sig=bytes(64))
    for size in range(len(body)):
        with pytest.raises(ValueError, match="ErrDecode"):
            wire.decode(7, body[:size])
