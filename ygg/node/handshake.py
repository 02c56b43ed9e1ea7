"""The handshake that opens a link, without IO (protocol 0.5, Handshake).

Both sides send one message at once and read one. `encode` makes ours, a `Decoder` takes the other's out of the stream,
and `check_*` say in the protocol's order whether it suits us. Nothing of the stream behind the message is consumed.

The signature covers neither a nonce nor the channel: it shows that the key has signed once, no more. What keeps
an impostor out is that it can answer no signature request and open no session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from ygg.errors import (
    HandshakeKeyError,
    HandshakeLengthError,
    IncompatibleVersionError,
    KeyNotAllowedError,
    KeyNotPinnedError,
    NotYggdrasilError,
    SelfConnectionError,
    WrongPasswordError,
)
from ygg.identity.keys import PUBLIC_SIZE, PrivateKey, verify

TIMEOUT = 6.0
"""Seconds for the whole exchange, from the moment the stream is open."""
SIZE = 123
"""Bytes of our message."""
VERSION = (0, 5)
"""Major and minor version of the protocol."""

_MAGIC = b"meta"
_HEADER = 6
_SIGNATURE = 64
_MAJOR, _MINOR, _KEY, _PRIORITY = range(4)
_SIZES = {_MAJOR: 2, _MINOR: 2, _KEY: PUBLIC_SIZE, _PRIORITY: 1}


@dataclass(frozen=True, slots=True)
class Meta:
    """What a node says about itself when a link opens."""

    key: bytes
    """Its 32-byte public key."""
    priority: int = 0
    """0 to 255; the link runs with the larger of both sides'."""
    version: tuple[int, int] = VERSION
    """Major, minor."""


def encode(key: PrivateKey, priority: int, password: bytes = b"") -> bytes:
    """Return our message, `SIZE` bytes. `password` has at most 64 bytes; empty is none."""
    fields = [
        (_MAJOR, VERSION[0].to_bytes(2)),
        (_MINOR, VERSION[1].to_bytes(2)),
        (_KEY, key.public_key),
        (_PRIORITY, bytes([priority])),
    ]
    body = b"".join(kind.to_bytes(2) + len(value).to_bytes(2) + value for kind, value in fields)
    body += key.sign(digest(key.public_key, password))
    return _MAGIC + len(body).to_bytes(2) + body


class Decoder:
    """Takes the other side's message out of the stream, whatever the pieces it comes in."""

    def __init__(self, password: bytes = b"") -> None:
        self._password = password
        self._held = bytearray()
        self.meta: Meta | None = None
        """The message, once it is whole and its signature is right."""
        self.size = 0
        """Bytes of the message, header included."""

    @property
    def rest(self) -> bytes:
        """The bytes given so far that lie behind the message: they belong to the link."""
        return bytes(self._held) if self.meta else b""

    def feed(self, data: bytes | bytearray) -> bool:
        """Take the next bytes of the stream; True once `meta` is there. Raises a `HandshakeError`."""
        self._held += data
        if self.meta is None and (size := self._size()) is not None and len(self._held) >= size:
            self.meta = _decode(bytes(self._held[_HEADER:size]), self._password)
            self.size = size
            del self._held[:size]
        return self.meta is not None

    def _size(self) -> int | None:
        # A stranger who speaks something else is known by its first byte; no need to wait for six.
        if self._held[:4] != _MAGIC[: len(self._held)]:
            raise NotYggdrasilError
        if len(self._held) < _HEADER:
            return None
        length = int.from_bytes(self._held[4:_HEADER])
        if length < _SIGNATURE:
            raise HandshakeLengthError
        return _HEADER + length


def check_version(meta: Meta) -> None:
    """Refuse other versions of the protocol than ours."""
    if meta.version != VERSION:
        local, remote = ("{}.{}".format(*version) for version in (VERSION, meta.version))
        raise IncompatibleVersionError(f"remote node incompatible version (local {local}, remote {remote})")


def check_key(meta: Meta, own: bytes, pinned: Collection[bytes] = (), allowed: Collection[bytes] | None = None) -> None:
    """Refuse ourselves, keys that are not among `pinned` (if any), and those not `allowed` (if any, None: all)."""
    if meta.key == own:
        raise SelfConnectionError
    if pinned and meta.key not in pinned:
        raise KeyNotPinnedError
    if allowed and meta.key not in allowed:
        raise KeyNotAllowedError(f'node public key "{meta.key.hex()}" is not in AllowedPublicKeys')


def _decode(body: bytes, password: bytes) -> Meta:
    fields = _fields(body[:-_SIGNATURE])
    if _KEY not in fields:
        raise HandshakeKeyError
    key = fields[_KEY]
    if not verify(body[-_SIGNATURE:], digest(key, password), key):
        raise WrongPasswordError
    version = (int.from_bytes(fields.get(_MAJOR, b"")), int.from_bytes(fields.get(_MINOR, b"")))
    return Meta(key, int.from_bytes(fields.get(_PRIORITY, b"")), version)


def _fields(data: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    place = 0
    while place < len(data):
        kind, length = int.from_bytes(data[place : place + 2]), int.from_bytes(data[place + 2 : place + 4])
        start, place = place + 4, place + 4 + length
        if place > len(data) or length != _SIZES.get(kind, length):
            raise HandshakeLengthError
        fields[kind] = data[start:place]
    return fields


def digest(key: bytes, password: bytes) -> bytes:
    """Return what a node signs in its handshake: a keyed BLAKE2b of its key."""
    return hashlib.blake2b(key, digest_size=64, key=password).digest()
