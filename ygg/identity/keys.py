"""A node's identity: an Ed25519 key pair, in the forms the configuration file and PEM files give it."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import NoReturn

from ygg.errors import KeyFormatError
from ygg_c.base.sodium import Random, seed_keypair, sign_detached, verify_detached

PUBLIC_SIZE = 32
"""Bytes of a public key."""
SECRET_SIZE = 64
"""Bytes of a secret key: the 32-byte seed, then the public key."""

_SEED_SIZE = 32
_PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
_PEM_LABEL = "PRIVATE KEY"
_PEM_BEGIN, _PEM_END = f"-----BEGIN {_PEM_LABEL}-----", f"-----END {_PEM_LABEL}-----"

_INTEGER, _OCTETS, _SEQUENCE, _PUBLIC_HALF = 0x02, 0x04, 0x30, 0x81
_ED25519 = bytes.fromhex("06032b6570")  # the object identifier 1.3.101.112


class PrivateKey:
    """An Ed25519 private key. Its secret half is shown by no `repr`, and it cannot be pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Take 64 bytes, seed then public key; a public half that is not the seed's is refused (`KeyFormatError`)."""
        if len(secret) != SECRET_SIZE:
            raise KeyFormatError(f"a private key has {SECRET_SIZE} bytes, not {len(secret)}")
        self._secret = seed_keypair(bytes(secret[:_SEED_SIZE]))
        if not hmac.compare_digest(self._secret, secret):
            raise KeyFormatError("the public half of the private key does not belong to its seed")

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a new identity from the operating system's randomness."""
        return cls.from_seed(Random().bytes(_SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """Make the key of a 32-byte seed (RFC 8032, section 5.1.5)."""
        if len(seed) != _SEED_SIZE:
            raise KeyFormatError(f"a seed has {_SEED_SIZE} bytes, not {len(seed)}")
        return cls(seed_keypair(bytes(seed)))

    @classmethod
    def from_hex(cls, text: str) -> PrivateKey:
        """Read the configuration file's form: 128 hex digits, seed then public key (protocol 0.5, Keys)."""
        return cls(_unhex(text, SECRET_SIZE, "a private key"))

    @classmethod
    def from_pem(cls, text: str | bytes) -> PrivateKey:
        """Read a PEM file: its first block `PRIVATE KEY`, PKCS#8 of either version, Ed25519 (RFC 5958, RFC 8410).

        Other blocks, text around them, headers in them (RFC 1421) and attributes of the key do not matter, as to the
        stock daemon. A public half that is not the seed's is refused (`KeyFormatError`).
        """
        try:
            seed, public = _pkcs8(_unarmour(text if isinstance(text, str) else text.decode("latin-1")))
        except _NotDER:
            raise KeyFormatError("the PEM block does not hold an Ed25519 private key") from None
        key = cls.from_seed(seed)
        return key if public is None else cls(seed + public)

    @property
    def public_key(self) -> bytes:
        """The 32-byte public key."""
        return self._secret[_SEED_SIZE:]

    @property
    def secret(self) -> bytes:
        """The 64 secret bytes, seed then public key."""
        return self._secret

    def hex(self) -> str:
        """Return the configuration file's form, 128 lower-case hex digits. It is a secret."""
        return self._secret.hex()

    def pem(self) -> str:
        """Return the key as a PEM block. It is a secret."""
        body = base64.b64encode(_PKCS8_PREFIX + self._secret[:_SEED_SIZE]).decode()
        return f"{_PEM_BEGIN}\n{body}\n{_PEM_END}\n"

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032, pure Ed25519)."""
        return sign_detached(bytes(message), self._secret)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.public_key)

    def __repr__(self) -> str:
        return f"<PrivateKey of {self.public_key.hex()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key cannot be pickled")


def parse_public_key(text: str) -> bytes:
    """Read a public key from its 64 hex digits; `KeyFormatError` when it is none."""
    return _unhex(text, PUBLIC_SIZE, "a public key")


def verify(signature: bytes, message: bytes, public_key: bytes) -> bool:
    """Tell whether `signature` is that of `message` under `public_key`."""
    return verify_detached(signature, bytes(message), public_key)


def _unhex(text: str, size: int, what: str) -> bytes:
    # The message must not quote what may be a secret.
    if len(text) != 2 * size:
        raise KeyFormatError(f"{what} is {2 * size} hex digits, not {len(text)}")
    try:
        return binascii.unhexlify(text)
    except ValueError:
        raise KeyFormatError(f"{what} is {2 * size} hex digits; there is something else among them") from None


def _unarmour(text: str) -> bytes:
    first = text.find(_PEM_BEGIN)
    end = text.find(_PEM_END, first) if first >= 0 else -1
    if end < 0:
        hint = "; it is encrypted, and must not be" if f"-----BEGIN ENCRYPTED {_PEM_LABEL}-----" in text else ""
        raise KeyFormatError(f"the file holds no PEM block of type {_PEM_LABEL}{hint}")
    begin = text.rfind(_PEM_BEGIN, first, end) + len(_PEM_BEGIN)  # one without an end may stand before it
    lines = [line.strip() for line in text[begin:end].strip("\r\n").splitlines()]
    if lines and ":" in lines[0]:  # headers, up to an empty line
        lines = lines[lines.index("") :] if "" in lines else []
    try:
        return base64.b64decode("".join(lines), validate=True)
    except ValueError:
        raise KeyFormatError("the PEM block is not base64") from None


class _NotDER(Exception):
    """The bytes are not what the encoding of a key begins with."""


def _pkcs8(der: bytes) -> tuple[bytes, bytes | None]:
    """Return the seed, and the public key where there is one, of a OneAsymmetricKey (RFC 5958, section 2).

    By hand, for `cryptography` refuses those with a public key in them, which is what version 2 is for.
    """
    tag, fields, _ = _element(der)
    version, number, fields = _element(fields)
    algorithm, name, fields = _element(fields)
    octets, inner, fields = _element(fields)
    kind, seed, _ = _element(inner)
    right = (_SEQUENCE, _INTEGER, _SEQUENCE, _OCTETS, _OCTETS)
    if (tag, version, algorithm, octets, kind) != right or number not in (b"\0", b"\1"):
        raise _NotDER
    if name != _ED25519 or len(seed) != _SEED_SIZE:
        raise _NotDER
    while fields:
        tag, content, fields = _element(fields)
        if tag == _PUBLIC_HALF:  # a bit string: the count of unused bits, then the key
            return seed, content[1:]
    return seed, None


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and content of the element that `der` begins with, and what follows it (X.690, section 8.1)."""
    if len(der) < 2:
        raise _NotDER
    tag, size, start = der[0], der[1], 2
    if size == 0x80:  # BER's form without a length
        raise _NotDER
    if size > 0x80:  # the long form: so many bytes of length follow
        start += size - 0x80
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        raise _NotDER
    return tag, der[start : start + size], der[start + size :]
