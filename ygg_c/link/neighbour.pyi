class Neighbour:
    """A node key with at least one link."""

    @property
    def port(self) -> int:
        """The number this node gives it."""
