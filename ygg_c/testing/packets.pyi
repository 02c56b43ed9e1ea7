from collections.abc import Callable, Iterable

from ygg_c.ip.layer import Lower, Upper

class PacketTap(Lower):
    """Joins an Upper to Python: what it sends is taken as a list, what it shall receive is given as a list."""

    limit: int
    """Packets held at most; further ones are dropped and counted in `dropped`."""
    dropped: int
    """Packets dropped so far."""
    credit_bytes: int
    """Bytes that may be held before the upper side has to wait for `take`."""
    burst: int
    """Bytes worth sending in one packet."""
    link: int
    """Number of the link it stands for."""
    full_since: int
    """Since when that link has refused credit, in ns; 2**64 - 1: it has room."""
    on_turn: Callable[[], object] | None
    """Called when the upper side wants a turn: call `poll` soon. Dropped when it raises."""
    on_works: Callable[[bytes], object] | None
    """Called now and then with a 16-byte address that answers. Dropped when it raises."""
    on_suspect: Callable[[bytes], object] | None
    """Called with a 16-byte address from which nothing comes back. Dropped when it raises."""
    def __init__(self, upper: Upper, limit: int = 4096) -> None: ...
    def take(self) -> list[bytes]:
        """Return the packets sent since the last call, oldest first."""
    def give(self, packets: Iterable[bytes], now: int) -> None:
        """Deliver packets to the upper side as one batch at time `now` (ns)."""
    def carry(self, other: PacketTap, now: int) -> int:
        """Deliver what was sent to the other tap's upper side, as one batch at time `now` (ns); return how many
        packets.
        """
    def poll(self, now: int) -> int | None:
        """Run what is due at `now` (ns); return the next deadline in ns, or None."""
    def give_credit(self, count: int, now: int) -> None:
        """Set the credit in bytes and tell the upper side."""
    def detach(self) -> None:
        """Part from the upper side."""
