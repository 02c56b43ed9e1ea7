class Answers:
    """What one node tells others of its place."""

    @property
    def limited(self) -> int:
        """Answers not given, for a rate."""
    @property
    def unroutable(self) -> int:
        """Answers that no link leads to."""
