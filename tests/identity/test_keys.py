"""ygg.identity.keys: the forms of an identity."""

import base64
import copy
import pickle

import pytest

from ygg.errors import KeyFormatError
from ygg.identity.keys import PrivateKey, parse_public_key, verify

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
        PEM_01.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        PEM_01.replace("-----END", "----END"),
        PEM_01.replace("KEY-----\n", "KEY-----\nProc-Type: 4\n", 1),
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


def element(tag: int, *content: bytes) -> bytes:
    """Return a DER element."""
    body = b"".join(content)
    size = bytes([len(body)]) if len(body) < 0x80 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def armour(der: bytes, label: str = "PRIVATE KEY", header: str = "") -> str:
    """Return a PEM block."""
    return f"-----BEGIN {label}-----\n{header}{base64.encodebytes(der).decode()}-----END {label}-----\n"


def pkcs8(version: int, *more: bytes, seed: bytes = SEED_01, algorithm: str = "06032b6570") -> bytes:
    """Return an Ed25519 key in PKCS#8, with whatever may follow it."""
    named = element(0x30, bytes.fromhex(algorithm))
    return element(0x30, element(2, bytes([version])), named, element(4, element(4, seed)), *more)


PUBLIC_HALF = element(0x81, b"\0", bytes.fromhex(PUBLIC_01))
# friendlyName (1.2.840.113549.1.9.20), as PKCS#12 files have it.
ATTRIBUTES = element(0xA0, element(0x30, bytes.fromhex("06092a864886f70d010914"), element(0x31, element(0x1E, b"\0k"))))
LONG_ATTRIBUTES = element(0xA0, element(0x30, bytes.fromhex("06032a0304"), element(0x31, element(4, bytes(300)))))
SECOND = armour(pkcs8(0, seed=b"\x02" * 32))

READ = {
    "version 1": armour(pkcs8(0)),
    "version 1 with attributes": armour(pkcs8(0, ATTRIBUTES)),
    "version 1 with a public key": armour(pkcs8(0, PUBLIC_HALF)),
    "version 2 without a public key": armour(pkcs8(1)),
    "version 2 with a public key": armour(pkcs8(1, PUBLIC_HALF)),
    "version 2 with attributes": armour(pkcs8(1, ATTRIBUTES)),
    "version 2 with both": armour(pkcs8(1, ATTRIBUTES, PUBLIC_HALF)),
    "attributes of some length": armour(pkcs8(1, LONG_ATTRIBUTES, PUBLIC_HALF)),
    "bytes after the key": armour(pkcs8(0) + b"\0"),
    "text around the block": "Bag Attributes\n    localKeyID: 01\nKey Attributes: none\n" + PEM_01 + "the end\n",
    "text that is not ASCII": "clé de café\n" + PEM_01,
    "a certificate before": armour(b"x", "CERTIFICATE") + PEM_01,
    "a certificate after": PEM_01 + armour(b"x", "CERTIFICATE"),
    "parameters before": armour(b"x", "EC PARAMETERS") + PEM_01,
    "two keys": PEM_01 + SECOND,
    "a block before that does not end": PEM_01[:40] + "\n" + PEM_01,
    "an end before": PEM_01[-26:] + PEM_01,
    "a block after that is none": PEM_01 + "-----BEGIN X-----\n!",
    "a header": armour(pkcs8(0), header="Comment: mine\n\n"),
    "headers on several lines": armour(pkcs8(0), header="Comment: mine\n and: yours\nOther: x\n\n"),
    "trailing NULs": PEM_01 + "\0" * 100,
    "no final newline": PEM_01.rstrip(),
    "carriage returns": PEM_01.replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + PEM_01,
    "indented lines": "".join(f"  {line}\n" for line in PEM_01.splitlines()),
    "spaces at line ends": PEM_01.replace("\n", " \n"),
    "one long line": armour(b"", header=base64.b64encode(pkcs8(1, ATTRIBUTES, PUBLIC_HALF)).decode() + "\n"),
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_every_form_of_pem_is_read(text: str) -> None:
    key = PrivateKey.from_seed(SEED_01)
    assert PrivateKey.from_pem(text) == key
    assert PrivateKey.from_pem(text.encode()) == key


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\xff",
        b"\x30\x85" + b"\xff" * 5,
        pkcs8(2),
        pkcs8(0, seed=b"\1" * 31),
        pkcs8(0, seed=b"\1" * 33),
        pkcs8(0, algorithm="06032b6571"),
        pkcs8(0, b"\x81"),
        pkcs8(0, b"\x81\x80"),
        pkcs8(0)[:-1],
        *(pkcs8(1, PUBLIC_HALF)[:size] for size in range(2, 60, 3)),
        pkcs8(1, element(0x81, b"\0", bytes.fromhex(PUBLIC_01)[:31])),
    ],
)
def test_what_is_no_such_key_is_refused(der: bytes) -> None:
    with pytest.raises(KeyFormatError):
        PrivateKey.from_pem(armour(der))


def test_blocks_that_do_not_end_take_no_longer_than_they_are_long() -> None:
    text = "-----BEGIN PRIVATE KEY-----\n" * 20_000
    with pytest.raises(KeyFormatError, match="no PEM block"):
        PrivateKey.from_pem(text)
    assert PrivateKey.from_pem(text + PEM_01) == PrivateKey.from_seed(SEED_01)


def test_a_public_half_of_another_seed_is_refused_in_pem_too() -> None:
    wrong = PrivateKey.from_seed(b"\x02" * 32).public_key
    with pytest.raises(KeyFormatError, match="does not belong to its seed"):
        PrivateKey.from_pem(armour(pkcs8(1, element(0x81, b"\0", wrong))))


def test_an_encrypted_key_is_named() -> None:
    with pytest.raises(KeyFormatError, match="it is encrypted"):
        PrivateKey.from_pem(PEM_01.replace("PRIVATE", "ENCRYPTED PRIVATE"))


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
