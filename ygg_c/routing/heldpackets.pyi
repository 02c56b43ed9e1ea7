class HeldPackets:
    """The account of a node's packets that wait for paths."""

    @property
    def dropped(self) -> int:
        """Packets dropped while they waited, or for want of room."""
