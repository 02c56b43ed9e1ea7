"""Keys, addresses and host patterns as text and bytes: a value or an error that quotes nothing secret."""

from collections.abc import Callable
from ipaddress import IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from ygg.errors import KeyFormatError, URLError
from ygg.identity.address import OVERLAY, address_of, partial_key_of, subnet_of
from ygg.identity.keys import PrivateKey, parse_public_key, verify
from ygg.transport.pattern import HostPattern, normal

SEEDS = st.binary(min_size=32, max_size=32)
HEX = st.text("0123456789abcdefABCDEF xg\n", max_size=140)


def complaint_about(read: Callable[[str], object], text: str) -> str:
    """Return what is said against a text, nothing when it is taken."""
    try:
        read(text)
    except KeyFormatError as error:
        return str(error)
    return ""


@given(HEX | st.text(max_size=140))
def test_arbitrary_text(text: str) -> None:
    for read in (PrivateKey.from_hex, PrivateKey.from_pem, parse_public_key):
        complaint = complaint_about(read, text)
        assert len(text) < 16 or text not in complaint


@given(SEEDS, st.integers(0, 127), st.sampled_from("0123456789abcdefABCDEF zé\0"))
def test_a_changed_key_is_refused_and_not_quoted(seed: bytes, place: int, letter: str) -> None:
    text = PrivateKey.from_seed(seed).hex()
    changed = text[:place] + letter + text[place + 1 :]
    complaint = complaint_about(PrivateKey.from_hex, changed)
    assert complaint or changed.lower() == text
    assert text[:16] not in complaint
    assert text[64:80] not in complaint


@given(SEEDS, st.integers(0, 200), st.binary(max_size=4))
def test_mutated_pem(seed: bytes, place: int, patch: bytes) -> None:
    pem = bytearray(PrivateKey.from_seed(seed).pem().encode())
    pem[place : place + len(patch)] = patch
    try:
        PrivateKey.from_pem(bytes(pem))
    except KeyFormatError:
        pass


@given(SEEDS, st.binary(max_size=100))
def test_forms_return_and_sign(seed: bytes, message: bytes) -> None:
    key = PrivateKey.from_seed(seed)
    assert PrivateKey.from_hex(key.hex()) == PrivateKey.from_pem(key.pem()) == key
    assert verify(key.sign(message), message, key.public_key)
    assert parse_public_key(key.public_key.hex()) == key.public_key


@given(st.binary(max_size=70), st.binary(max_size=40), st.binary(max_size=34))
def test_arbitrary_signatures(signature: bytes, message: bytes, key: bytes) -> None:
    assert not verify(signature, message, key)


@given(SEEDS)
def test_an_address_gives_back_what_it_holds_of_the_key(key: bytes) -> None:
    address, subnet = address_of(key), subnet_of(key)
    assert address in OVERLAY
    assert subnet.network_address in OVERLAY
    assert address_of(partial_key_of(address)) == address
    assert subnet_of(partial_key_of(subnet)) == subnet


@given(st.binary(min_size=16, max_size=16) | st.binary(min_size=15, max_size=15).map(lambda tail: b"\2" + tail))
def test_any_address(raw: bytes) -> None:
    try:
        key = partial_key_of(IPv6Address(raw))
    except ValueError:
        assert IPv6Address(raw) not in OVERLAY
    else:
        assert len(key) == 32


@given(st.text(max_size=60) | st.text("*.a:/0129[]%", max_size=40), st.text("*.a:/0129[]%", max_size=40))
def test_any_pattern_and_any_host(pattern: str, host: str) -> None:
    try:
        made = HostPattern(pattern)
    except URLError:
        return
    matched = made.matches(normal(host))
    assert matched in (True, False)
    assert not made.exact or matched == (normal(pattern) == normal(host))
