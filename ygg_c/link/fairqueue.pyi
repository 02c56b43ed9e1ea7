
class FairQueue:
    """Packets waiting for one link: round robin over flows, CoDel in each, a byte limit that costs the longest."""

    def __init__(self, salt: int = 0) -> None: ...
    @property
    def bytes(self) -> int:
        """Bytes waiting, this node's own packets included."""
    @property
    def own_bytes(self) -> int:
        """Bytes queued of the packets put with `own`."""
    @property
    def count(self) -> int:
        """Packets waiting."""
    @property
    def dropped(self) -> int:
        """Packets dropped so far."""
    @property
    def marked(self) -> int:
        """Packets marked so far in place of being dropped."""
