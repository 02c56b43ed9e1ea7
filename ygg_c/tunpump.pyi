from collections.abc import Callable

from ygg_c.packetio import Upper

class TunPump(Upper):
    """Carries IPv6 packets between a gateway and a TUN device. Register `readable` with the event loop for its descriptor."""

    def __init__(self, fd: int, mtu: int, on_lost: Callable[[OSError], object]) -> None:
        """Use the non-blocking descriptor `fd`, which stays the caller's; packets have at most `mtu` bytes.

        `on_lost` is called when the device is gone.
        """

    @property
    def packets_in(self) -> int:
        """Packets read from the device."""

    @property
    def packets_out(self) -> int:
        """Packets written to the device."""

    @property
    def dropped(self) -> int:
        """Packets the device did not take, or nobody was attached to take."""

    def readable(self) -> None:
        """Send what the device holds, in bounded measure."""

    def close(self) -> None:
        """Use the descriptor no more. Idempotent."""
