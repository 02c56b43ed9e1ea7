from collections.abc import Iterable

def allowed(rate: int, burst: int, times: Iterable[int], cost: int = 1) -> list[bool]:
    """Tell for each of `times` (ns, ascending) whether a bucket of `burst` tokens, refilled at `rate` a second, had
    `cost` of them.
    """

def wait(rate: int, burst: int, times: Iterable[int], cost: int = 1) -> int:
    """Take `cost` tokens at each of `times` (ns) from such a bucket; return how many ns it then lacks `cost` more."""

class DrainTap:
    """What a link knows of how fast it drains (`ygg_c/link/drain.pxd`). Sizes are bytes, times ns."""

    def took(self, count: int, full: bool, now: int) -> None:
        """Tell that the transport has taken bytes, and whether it was full."""
    def flushed(self, full: bool, now: int) -> None:
        """Tell that output has been given to the transport, and whether it is full now."""
    def ran_dry(self) -> None:
        """Tell that the transport was full, and had sent everything when it told of room."""
    @property
    def rate(self) -> int:
        """Bytes a second."""
    @property
    def guessed(self) -> bool:
        """Whether the rate was never measured, or has doubled since."""
    @property
    def limits(self) -> dict[str, int]:
        """What depends on it, by the names in drain.pxd."""
