"""Any bytes decode to a filter that encodes to its only compact form, or fail; filters never forget a key."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from ygg_c.link.bloom import BloomFilter

KEYS = st.lists(st.binary(min_size=32, max_size=32), max_size=40)
WORDS = st.lists(st.sampled_from([bytes(8), b"\xff" * 8, b"\x01" * 8]), min_size=128, max_size=128).map(b"".join)


@given(KEYS, KEYS)
def test_filters_hold_what_was_added(first: list[bytes], second: list[bytes]) -> None:
    one, other = BloomFilter(first), BloomFilter(second)
    both = one | other
    assert all(key in one for key in first)
    assert all(key in both for key in first + second)
    assert both == BloomFilter(first + second)
    assert BloomFilter.decode(both.encode()) == both
    assert 32 <= len(both.encode()) <= 1056


@given(st.one_of(st.binary(max_size=1100), WORDS.map(lambda words: bytes(32) + words)))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        bloom = BloomFilter.decode(data)
        compact = bloom.encode()
        assert len(compact) <= len(data)
        assert BloomFilter.decode(compact) == bloom


@given(KEYS, st.integers(0, 31), st.integers(0, 255))
def test_mutated_flags(keys: list[bytes], place: int, value: int) -> None:
    data = bytearray(BloomFilter(keys).encode())
    data[place] = value
    with contextlib.suppress(ValueError):
        bloom = BloomFilter.decode(data)
        assert BloomFilter.decode(bloom.encode()) == bloom
