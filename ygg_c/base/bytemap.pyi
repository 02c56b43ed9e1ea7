from typing import Any, Self

class ByteMap:
    """Maps byte strings of one width (1 to 64 bytes) to objects."""

    @property
    def width(self) -> int:
        """Bytes of each key."""
    def __new__(cls, width: int, seed: int) -> Self:
        """Make an empty map. `seed`, 64 random bits, alone settles the order of its items."""
    def __len__(self) -> int: ...
    def __contains__(self, key: bytes, /) -> bool: ...
    def __getitem__(self, key: bytes, /) -> Any: ...
    def __setitem__(self, key: bytes, value: Any, /) -> None: ...
    def __delitem__(self, key: bytes, /) -> None: ...
    def items(self) -> list[tuple[bytes, Any]]:
        """Return the (key, value) pairs as a list, in an order that the seed settles."""
    def values(self) -> list[Any]:
        """Return the values as a list, in no order."""
    def clear(self) -> None:
        """Remove everything."""
