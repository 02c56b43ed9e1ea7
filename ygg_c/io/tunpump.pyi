from collections.abc import Callable

from ygg_c.base.clock import Clock
from ygg_c.ip.layer import Upper

class TunPump(Upper):
    """Carries IPv6 packets between a gateway and a TUN device. Register `readable` with the event loop for its
    descriptor.

    The device is read while there is credit for what it holds; what is not read waits in it.
    """

    def __init__(
        self,
        fd: int,
        mtu: int,
        on_lost: Callable[[OSError], object],
        on_waiting: Callable[[bool], object],
        clock: Clock,
    ) -> None:
        """Use the non-blocking descriptor `fd`, which stays the caller's; packets have at most `mtu` bytes.

        `on_lost` is called when the device is gone. `on_waiting(True)` asks that `readable` is not called until
        `on_waiting(False)`.
        """

    @property
    def packets_in(self) -> int:
        """Packets read from the device."""

    @property
    def packets_out(self) -> int:
        """Packets written to the device."""

    @property
    def waits(self) -> int:
        """How often reading has stopped because a link was full."""

    @property
    def dropped_full(self) -> int:
        """Packets the device did not take."""

    @property
    def dropped_detached(self) -> int:
        """Packets read while there was no node to take them."""

    def readable(self) -> None:
        """Send what the device holds, in bounded measure."""

    def counters(self) -> dict[str, int]:
        """Return how many packets passed, and how many were dropped, by reason."""

    def close(self) -> None:
        """Use the descriptor no more. Idempotent."""
