"""ygg.keys: the forms of an identity."""

import copy
import pickle

import pytest

from ygg.errors import KeyFormatError
from ygg.keys import PrivateKey, parse_public_key, verify

PUBLIC_01 = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
SEED_01 = b"\x01" * 32
PEM_01 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
"""


def test_a_seed_gives_the_public_key_of_the_vectors() -> None:
    key = PrivateKey.from_seed(SEED_01)
    assert key.public_key.hex() == PUBLIC_01
    assert key.secret == SEED_01 + key.public_key


@pytest.mark.parametrize(
    ("seed", "public"),
    [
        (0x02, "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"),
        (0x0C, "0b513ad9b4924015ca0902ed079044d3ac5dbec2306f06948c10da8eb6e39f2d"),
        (0xFF, "76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5"),
    ],
)
def test_more_seeds(seed: int, public: str) -> None:
    assert PrivateKey.from_seed(bytes([seed]) * 32).public_key.hex() == public


def test_two_generated_keys_differ() -> None:
    assert PrivateKey.generate() != PrivateKey.generate()


def test_the_hex_form_returns() -> None:
    key = PrivateKey.from_seed(SEED_01)
    assert key.hex() == "01" * 32 + PUBLIC_01
    assert PrivateKey.from_hex(key.hex().upper()) == key


def test_the_pem_form_is_that_of_the_protocol_and_returns() -> None:
    key = PrivateKey.from_seed(SEED_01)
    assert key.pem() == PEM_01
    assert PrivateKey.from_pem(PEM_01.replace("\n", "\r\n").encode()) == key


def test_a_public_half_of_another_seed_is_refused() -> None:
    other = PrivateKey.from_seed(b"\x02" * 32)
    with pytest.raises(KeyFormatError, match="does not belong to its seed"):
        PrivateKey(SEED_01 + other.public_key)


@pytest.mark.parametrize("text", ["", "01" * 63, "01" * 65, "0" * 127 + "g", " " + "1" * 127, "é" * 128])
def test_bad_hex_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        PrivateKey.from_hex(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        PEM_01.replace("PRIVATE", "PUBLIC"),
        PEM_01.replace("END PRIVATE", "END PUBLIC"),
        PEM_01 + PEM_01,
        PEM_01.replace("MC4CAQ", "MC4CAA"),
        PEM_01.replace("AQEBAQEB\n", "AQEBAQ==\n"),
        PEM_01.replace("MC4C", "M*4C"),
        "\u20ac",
        b"\xff\xfe",
    ],
)
def test_bad_pem_is_refused(text: str | bytes) -> None:
    with pytest.raises(KeyFormatError):
        PrivateKey.from_pem(text)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_the_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(KeyFormatError):
        PrivateKey.from_seed(bytes(size))


def test_signatures_verify_only_what_was_signed() -> None:
    key = PrivateKey.from_seed(SEED_01)
    signature = key.sign(b"message")
    assert verify(signature, b"message", key.public_key)
    assert not verify(signature, b"massage", key.public_key)
    assert not verify(signature[:63], b"message", key.public_key)
    assert not verify(signature, b"message", key.public_key[:31])


def test_a_public_key_is_64_digits() -> None:
    assert parse_public_key(PUBLIC_01).hex() == PUBLIC_01
    with pytest.raises(KeyFormatError):
        parse_public_key(PUBLIC_01[:-1])


def test_no_secret_leaves_by_repr_pickle_or_copy() -> None:
    key = PrivateKey.from_seed(SEED_01)
    assert repr(key) == f"<PrivateKey of {PUBLIC_01}>"
    for leave in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(key)
    assert len({key, PrivateKey.from_seed(SEED_01)}) == 1
