from collections.abc import Callable, Iterable

from ygg_c.ip.layer import Upper

class PacketPort(Upper):
    """IPv6 packets of a gateway for Python code, such as a TUN device: one call a batch, not one a packet."""

    on_packets: Callable[[list[bytes]], object] | None
    """Called with the packets of one batch, oldest first; None drops them."""
    on_error: Callable[[BaseException], object] | None
    """Called with what `on_packets` raised; None: sys.unraisablehook."""
    limit: int
    """Bytes collected for one call; packets beyond it are dropped and counted."""

    def __init__(self, on_packets: Callable[[list[bytes]], object] | None = None, limit: int = 4194304) -> None: ...
    @property
    def dropped(self) -> int:
        """Packets dropped: a batch was full, nothing takes them, or they were sent while detached or empty."""

    @property
    def attached(self) -> bool:
        """Whether a gateway is below."""

    def send(self, packets: Iterable[bytes]) -> None:
        """Send IPv6 packets. What cannot be sent is dropped (and counted by the gateway), as on any network."""
