"""Answers to questions about other nodes: whatever they say is a value or an error."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import AnswerError, ConfigError
from ygg.node import nodeinfo
from ygg.node.core import split_keys

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(max_size=10), values, max_size=6)


def read(text: bytes) -> dict[str, Any] | None:
    try:
        return nodeinfo.decode(text)
    except AnswerError:
        return None


@given(st.binary(max_size=200) | st.binary(max_size=50).map(lambda tail: b'{"a":' + tail))
def test_arbitrary_bytes(text: bytes) -> None:
    read(text)


@given(st.integers(1, 100_000), st.sampled_from([b"[", b'{"":', b"1", b"-", b'"\\u12', b"\xff\xfe"]))
def test_deep_and_long(count: int, piece: bytes) -> None:
    assert read(piece * count) is None


@given(objects, st.integers(0, 400), st.binary(max_size=3))
def test_damaged_objects(info: dict[str, Any], place: int, patch: bytes) -> None:
    text = bytearray(json.dumps(info).encode())
    text[place : place + len(patch)] = patch
    read(bytes(text))


@given(objects, st.booleans())
def test_what_is_told_is_heard(info: dict[str, Any], privacy: bool) -> None:
    try:
        text = nodeinfo.encode(info, privacy=privacy)
    except ConfigError:
        return
    heard = nodeinfo.decode(text)
    assert heard | info == heard or not privacy
    if privacy:
        assert heard == info


@given(st.binary(max_size=200))
def test_lists_of_keys(data: bytes) -> None:
    try:
        keys = split_keys(data)
    except AnswerError:
        assert len(data) % 32
    else:
        assert b"".join(keys) == data
