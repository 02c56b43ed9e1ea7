"""The beacon of link-local discovery: one datagram saying "this key listens on this port" (protocol 0.5, section 10.1).

A beacon proves only that its sender knows the interface's password: it is not signed and may be replayed. What it
leads to is a dial with the key pinned, and the handshake there settles who answers.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from ygg.errors import YggError

GROUP = "ff02::114"
"""The link-local multicast group beacons are sent to."""
GROUP_PORT = 9001
"""The UDP port beacons are sent to and from."""
VERSION = (0, 5)
"""Protocol version (major, minor) a beacon must carry."""
MAX_PASSWORD = 64
"""Longest interface password in bytes: what keyed BLAKE2b takes."""

_HEAD = struct.Struct(">HH32sHH")
_DIGEST_SIZE = 64
SIZE = _HEAD.size + _DIGEST_SIZE
"""Bytes of a beacon as we write it; a longer datagram is read too, and its tail ignored."""
_MARK = struct.pack(">HH", *VERSION)
_OLD_SIZES = (34, 50)  # a key and a port, in earlier ones with an IPv6 address between them


class BeaconError(YggError, ValueError):
    """The datagram is not a beacon this protocol version understands."""


def digest(key: bytes, password: bytes = b"") -> bytes:
    """Return the 64-byte BLAKE2b-512 of a 32-byte public key under an interface password of at most 64 bytes."""
    return hashlib.blake2b(key, digest_size=_DIGEST_SIZE, key=password).digest()


@dataclass(frozen=True, slots=True)
class Beacon:
    """A public key (32 bytes), the TCP port its TLS listener has on the link, and the proof of the password."""

    key: bytes
    """32 bytes."""
    port: int
    """Of its TLS listener."""
    proof: bytes
    """Digest of key and password; see `digest`."""

    @classmethod
    def make(cls, key: bytes, port: int, password: bytes = b"") -> Beacon:
        """Return the beacon that announces `key` on `port` to those who share `password`."""
        return cls(key, port, digest(key, password))

    def encode(self) -> bytes:
        """Return the datagram's payload."""
        return _HEAD.pack(*VERSION, self.key, self.port, len(self.proof)) + self.proof

    @classmethod
    def decode(cls, data: bytes) -> Beacon:
        """Read a datagram's payload; raises `BeaconError`, whose text is the reason, for anything else."""
        if len(data) in _OLD_SIZES and not data.startswith(_MARK):
            raise BeaconError("beacon of protocol 0.4, which does not go with ours")
        if len(data) < _HEAD.size:
            raise BeaconError(f"truncated beacon: {len(data)} bytes")
        major, minor, key, port, size = _HEAD.unpack_from(data)
        if (major, minor) != VERSION:
            raise BeaconError(f"beacon of version {major}.{minor}, not {VERSION[0]}.{VERSION[1]}")
        if size != _DIGEST_SIZE:
            raise BeaconError(f"beacon with a hash of {size} bytes")
        if len(data) < SIZE:
            raise BeaconError(f"truncated beacon: {len(data)} bytes")
        if port == 0:
            raise BeaconError("beacon without a port")
        return cls(key, port, bytes(data[_HEAD.size : SIZE]))

    def proves(self, password: bytes) -> bool:
        """Tell whether the sender of this beacon knows `password`."""
        return hmac.compare_digest(self.proof, digest(self.key, password))
