"""The Internet checksum against its definition."""

import random

from ygg_c.base.checksum import checksum


def reference(data: bytes) -> int:
    """RFC 1071 as written: 16-bit words, end-around carry, complement."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_example_of_rfc_1071():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2


def test_every_small_length():
    data = random.Random(1).randbytes(300)
    for size in range(300):
        assert checksum(data[:size]) == reference(data[:size])


def test_large_and_extreme_values():
    for data in (bytes(65535), b"\xff" * 65535, random.Random(2).randbytes(65535)):
        assert checksum(data) == reference(data)


def test_takes_any_buffer():
    data = random.Random(3).randbytes(101)
    assert checksum(memoryview(data)) == checksum(bytearray(data)) == reference(data)
