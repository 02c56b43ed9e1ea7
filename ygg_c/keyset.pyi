class KeySet:
    """Keys of 32 bytes, in eight bytes each."""

    def __len__(self) -> int: ...
    def __contains__(self, key: bytes, /) -> bool: ...
    def put(self, key: bytes) -> None:
        """Add a key of 32 bytes."""
    def drop(self, key: bytes) -> None:
        """Remove a key, if it is there."""
