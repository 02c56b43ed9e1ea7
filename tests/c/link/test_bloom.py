"""Bloom filters against the vectors of protocol 0.5."""

import pytest

from ygg_c.base.address import lookup_key_for_key
from ygg_c.link.bloom import BloomFilter, bit_positions, hashes

A = lookup_key_for_key(bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"))
B = lookup_key_for_key(bytes.fromhex("8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"))

VECTORS = [
    ([], "ff" * 16 + "00" * 16),
    (
        [b"\x2a" * 32],
        "fdbfffbfff7ffe7ffffffffcffffffff00000000000000000000000000000000"
        "2000000000000000000000000008000020000000000000000000000000008000"
        "0000200000000000020000000000000000020000000000000200000000000000",
    ),
    (
        [bytes(32)],
        "effffffffffff6fffffffb6fffefefff00000000000000000000000000000000"
        "0000000000800000000400000000000000400000000000000000200000000000"
        "0002000000000000001000000000000008000000000000000000000000010000",
    ),
    (
        [A],
        "fffffefffdffffd9ffffffb7fffffffd00000000000000000000000000000000"
        "0000000000000040000000000000010000100000000000000000010000000000"
        "0000000010000000400000000000000000040000000000000004000000000000",
    ),
    (
        [A, B],
        "fffebefdfdffff59ffe7ffb7fffff7fd00000000000000000000000000000000"
        "0000000020080000000000000000002000000000000000400000000000800000"
        "0000000000000100080000000000000000100000000000000000010000000000"
        "0000000010000000000000000001000001000000000000004000000000000000"
        "000400000000000000008000000000000004000000000000",
    ),
]


def test_hashes():
    assert hashes(b"\x2a" * 32) == [0x9BADE6891A252DED, 0x6F5D23900365B028, 0xA46AB18C8DD44283, 0xFBB2ED8D682CFE11]
    assert hashes(A) == [0xE08F64A3BA7C767E, 0xB1C2DFDBA01FD62D, 0x934CE5BDA208682D, 0x5708129D40894985]


def test_bit_positions():
    assert bit_positions(b"\x2a" * 32) == [3565, 3641, 2575, 6065, 6137, 1661, 595, 445]
    assert bit_positions(bytes(32)) == [7376, 5485, 3378, 215, 5876, 5681, 3574, 6907]
    assert bit_positions(A) == [5758, 8114, 2440, 3764, 5938, 1478, 3996, 3944]
    assert bit_positions(B) == [1093, 7471, 1943, 4920, 989, 979, 3643, 4816]


@pytest.mark.parametrize(("keys", "encoded"), VECTORS)
def test_encodings(keys, encoded):
    bloom = BloomFilter(keys)
    assert bloom.encode().hex() == encoded
    assert BloomFilter.decode(bytes.fromhex(encoded)) == bloom
    assert all(key in bloom for key in keys)
    assert b"\x77" * 32 not in bloom


def test_union():
    assert BloomFilter([A]) | BloomFilter([B]) == BloomFilter([A, B])


def test_all_ones_take_no_room():
    full = bytes(16) + b"\xff" * 16
    assert BloomFilter.decode(full).encode() == full
    spelled = BloomFilter.decode(bytes(32) + b"\xff" * 1024)
    assert spelled.encode() == full


@pytest.mark.parametrize(
    "data",
    [b"", bytes(31), b"\xff" * 32, bytes(32), bytes(1055), bytes(1057), b"\xff" * 16 + bytes(17)],
    ids=["empty", "short flags", "both flags", "no words", "half a word", "too much", "a byte over"],
)
def test_what_does_not_decode(data):
    with pytest.raises(ValueError, match="ErrDecode"):
        BloomFilter.decode(data)
