from collections.abc import Callable

class TurnTap:
    """The turns of an engine that is written in Python: `poll` is a round's work and returns the deadline in ns, or
    None; `ask` asks the host for a turn, None: there is no host.
    """

    def __init__(self, poll: Callable[[], int | None], ask: Callable[[], object] | None) -> None: ...
    def enter(self) -> None:
        """Begin a turn, perhaps a nested one."""
    def leave(self, now: int = 0) -> None:
        """End it at `now` (ns), with its rounds if it is the outermost."""
    def turn(self, now: int = 0) -> int | None:
        """Give a turn, and return the deadline in ns, or None."""
    def want(self) -> None:
        """Say that there is something to do."""
    def later(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called at the end of a round."""
    def mark(self, part: object) -> None:
        """Say that a part has something to send."""
    def take_dirty(self) -> list[object]:
        """Return what was marked since the last call, oldest first."""
    def open(self) -> None:
        """Open a batch."""
    def close(self) -> None:
        """Close it."""
    @property
    def depth(self) -> int:
        """How many turns are entered and not left."""
