from typing import Self

from ygg_c.base.sodium import Random

class KeySet:
    """Keys of 32 bytes, in eight bytes each."""

    def __new__(cls, random: Random) -> Self:
        """Make an empty set, whose hash has a secret of its own."""

    def __len__(self) -> int: ...
    def __contains__(self, key: bytes, /) -> bool: ...
    def put(self, key: bytes) -> None:
        """Add a key of 32 bytes."""
    def drop(self, key: bytes) -> None:
        """Remove a key, if it is there."""
    def empty(self) -> None:
        """Remove all keys."""
