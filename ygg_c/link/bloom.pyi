from collections.abc import Iterable
from typing import ClassVar

from typing_extensions import Buffer

class BloomFilter:
    """A filter of 8192 bits and 8 hash functions (protocol 0.5, Bloom filters). Keys are 32 bytes, taken as they
    are.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __init__(self, keys: Iterable[bytes] = ()) -> None: ...
    @staticmethod
    def decode(data: Buffer) -> BloomFilter:
        """Return the filter of a message body of 32 to 1056 bytes; ValueError when it does not decode."""
    def encode(self) -> bytes:
        """Return the body of a BloomFilter message."""
    def add(self, key: bytes) -> None:
        """Add a key of 32 bytes."""
    def __contains__(self, key: bytes, /) -> bool: ...
    def __or__(self, other: BloomFilter, /) -> BloomFilter: ...
    def __ror__(self, other: BloomFilter, /) -> BloomFilter: ...
    def __eq__(self, other: object, /) -> bool: ...

def hashes(key: bytes) -> list[int]:
    """Return the four hashes of a 32-byte key, 64 bits each, that its bits are made of."""

def bit_positions(key: bytes) -> list[int]:
    """Return the positions, 0 to 8191, of a 32-byte key's eight bits."""
