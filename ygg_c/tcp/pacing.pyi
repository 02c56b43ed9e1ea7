class Pacer:
    """The pacing of one connection by itself. Times are ns, sizes bytes, rates bytes/s."""

    def due(self, now: int) -> int:
        """Return when a segment may leave: `now`, or later."""
    def sent(self, size: int, rate: int, burst: int, now: int) -> None:
        """Note that one left. `burst` bytes may leave at once after a pause."""
