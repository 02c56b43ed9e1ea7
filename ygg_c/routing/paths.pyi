class Path:
    """Where a key is."""

class Paths:
    """The paths that one node has found."""

    @property
    def evicted(self) -> int:
        """Paths that had to go because all together took too much memory."""
