"""Identities with a wanted order: the node with the smallest public key becomes the root of the tree."""

import itertools
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, order=True)
class Identity:
    """A key pair, ordered by its public key."""

    public: bytes
    seed: bytes

    @property
    def private(self) -> str:
        """The form a configuration file has: seed and public key in hexadecimal."""
        return (self.seed + self.public).hex()

    @property
    def key(self) -> str:
        """The public key in hexadecimal."""
        return self.public.hex()


def _identity(number: int) -> Identity:
    seed = number.to_bytes(32, "big")
    return Identity(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw(), seed)


_pool = itertools.count(1)


def identities(count: int) -> list[Identity]:
    """Return that many identities never returned before, the smallest key first."""
    return sorted(_identity(next(_pool)) for _ in range(count))
