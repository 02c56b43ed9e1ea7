from typing import Any

class SentSegments:
    """A scoreboard by itself: what was sent and is not acknowledged. Records are told by their index, 0 for the first;
    positions are those of the stream, times ns.
    """

    def __init__(self, first: int = 0) -> None:
        """Give the first record this number, which wraps at 2³²."""

    def push(self, start: int, size: int, now: int) -> bool:
        """Note that a segment was sent for the first time, behind the last one; False when there is no room."""
    def resend(self, index: int, now: int) -> None:
        """Note that a segment, lost or in flight, was sent again."""
    def acknowledge(self, ack: int, credible: int = ...) -> dict[str, Any]:
        """Take a cumulative acknowledgement and return what it delivered: size, sacked, once_at, once_start, late_at,
        late_resent_at, resent and newest. It cannot answer what was sent after `credible`.
        """
    def sack(self, start: int, end: int, credible: int = ...) -> dict[str, Any]:
        """The same for a SACK block."""
    def rest(self) -> None:
        """Free the memory when nothing is in flight."""
    def unsack(self) -> None:
        """Forget every SACK: those segments are in flight."""
    def lose(self, index: int) -> None:
        """Mark a segment in flight as lost. ValueError for any other."""
    def next_lost(self) -> int | None:
        """Return the index of the lowest segment that is lost, or None."""
    def restore(self) -> None:
        """Have what was lost in flight again."""
    def split(self, size: int) -> bool:
        """Divide the records above `size`, and lose the parts that are not SACKed; False when memory is short."""
    def records(self) -> list[tuple[int, int, int, int, str]]:
        """Return (start, end, first sent, last sent, flags) of each record."""
    def by_time(self) -> list[int]:
        """Return the indices of the segments in flight in the order in which they were last sent."""
    @property
    def totals(self) -> tuple[int, int, int]:
        """Positions in flight, SACKed and lost."""
    @property
    def sacks(self) -> int:
        """Records SACKed."""
    @property
    def room(self) -> int:
        """Records that there is memory for."""
