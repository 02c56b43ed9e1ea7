class Clock:
    """The system's clocks, or ahead of them."""

    def now(self) -> int:
        """Return the time of a clock that never goes backwards, in ns."""
    def unix(self) -> int:
        """Return the time since the epoch, in ns."""
    def advance(self, duration: int) -> None:
        """Move the clock on by `duration` ns: for simulations and tests, whose waits shall take no time."""

class VirtualClock(Clock):
    """A clock that moves by `advance` alone. It begins at 0, and at `epoch` ns of unix time."""

    def __init__(self, epoch: int = 1_700_000_000_000_000_000) -> None: ...
