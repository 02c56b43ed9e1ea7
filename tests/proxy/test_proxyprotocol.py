"""ygg.proxy.proxyprotocol: headers byte by byte, and what is none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import ProxyError
from ygg.proxy.proxyprotocol import (
    KEY_TYPE,
    MOST,
    SIGNATURE,
    ProxyHeader,
    crc32c,
    decode,
    encode,
    header_for,
    is_begun,
    length,
)

KEY = bytes(range(32))
IPV4 = header_for(("192.0.2.1", 1000), ("192.0.2.2", 80))
IPV6 = header_for(("200::1", 1000), ("300::2", 80), KEY)


def test_the_bytes_of_ipv4() -> None:
    assert encode(IPV4) == (
        b"\r\n\r\n\0\r\nQUIT\n" b"\x21\x11\0\x0c" b"\xc0\0\2\1\xc0\0\2\2" b"\x03\xe8\0\x50")


def test_the_bytes_of_ipv6_with_a_key() -> None:
    whole = encode(IPV6)
    assert whole[12:16] == b"\x21\x21" + (36 + 36).to_bytes(2)
    assert whole[16:52] == b"\2" + bytes(14) + b"\1\3" + bytes(14) + b"\2" b"\x03\xe8\0\x50"
    assert whole[52:] == bytes([KEY_TYPE]) + b"\0\x21\1" + KEY


def test_without_addresses_it_is_local() -> None:
    assert encode(header_for(None, None)) == SIGNATURE + b"\x20\0\0\0"


@pytest.mark.parametrize("header", [
    IPV4, IPV6, header_for(None, None, KEY), ProxyHeader(), ProxyHeader(tlvs=((1, b"h2"), (0xEE, b""))),
    ProxyHeader(("::1", 1), ("::1", 2), datagram=True), ProxyHeader(("10.0.0.1", 1), ("10.0.0.2", 2), datagram=True),
])
def test_there_and_back(header: ProxyHeader) -> None:
    assert decode(encode(header)) == header
    assert length(encode(header)[:16]) == len(encode(header))
    summed = decode(encode(header, checksum=True))
    assert (summed.source, summed.tlvs[:-1]) == (header.source, header.tlvs)


def test_the_key() -> None:
    assert IPV6.public_key == KEY
    assert IPV4.public_key is None
    assert ProxyHeader(tlvs=((KEY_TYPE, b"\2" + KEY), (KEY_TYPE, b"\1short"))).public_key is None


def test_two_families_become_one() -> None:
    assert decode(encode(header_for(("192.0.2.1", 1), ("200::1", 2)))).source == ("::ffff:192.0.2.1", 1)


def test_a_checksum_that_does_not_fit() -> None:
    whole = bytearray(encode(IPV6, checksum=True))
    whole[20] ^= 1
    with pytest.raises(ProxyError, match="checksum"):
        decode(bytes(whole))


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_kinds_that_are_not_known_have_no_addresses() -> None:
    assert decode(SIGNATURE + b"\x21\x31" + (216).to_bytes(2) + bytes(216)) == ProxyHeader()
    assert decode(SIGNATURE + b"\x21\x77\0\3abc") == ProxyHeader()
    assert decode(SIGNATURE + b"\x20\x11\0\3abc") == ProxyHeader()


@pytest.mark.parametrize("whole", [
    SIGNATURE + b"\x11\x11\0\x0c" + bytes(12),          # version 1 in the clothes of 2
    SIGNATURE + b"\x22\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\0\x0b" + bytes(11),          # shorter than its addresses
    SIGNATURE + b"\x21\x11\0\x0d" + bytes(12),
    SIGNATURE + b"\x21\x11\0\x0e" + bytes(14),          # a value that is cut off
    SIGNATURE + b"\x21\x11\0\x0f" + bytes(12) + b"\1\0\1",
    SIGNATURE + b"\x21\x11" + MOST.to_bytes(2) + bytes(MOST),
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"", SIGNATURE,
])
def test_what_is_none(whole: bytes) -> None:
    with pytest.raises(ProxyError):
        decode(whole)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes(data: bytes, begun: bool) -> None:
    whole = SIGNATURE + data if begun else data
    with contextlib.suppress(ProxyError):
        decode(whole)
    with contextlib.suppress(ProxyError):
        decode(whole[:14] + max(0, len(whole) - 16).to_bytes(2) + whole[16:])


def test_what_may_be_the_beginning() -> None:
    assert is_begun(b"")
    assert is_begun(SIGNATURE[:5])
    assert is_begun(encode(IPV4))
    assert not is_begun(b"GET / HTTP/1.1")
