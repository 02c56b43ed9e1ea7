from typing import Final

from ygg_c.ip.layer import Layer

RATE_MOST: Final = 10000000000
"""The highest rate there is, a second."""

class Limiter(Layer):
    """Limits packets and bytes a second, each way: a layer for `Gateway.insert`.

    A rate of 0 is no limit. What arrives beyond the rates is dropped. A sender that asks for credit, as TCP and the
    sockets of a stack do, waits; what is sent without asking is dropped beyond the rates. `burst` is the time in
    seconds whose packets and bytes may pass at once, after a pause; of bytes it is at least 128 KiB. Bytes are those of
    IPv6 packets, headers included. ValueError for a rate beyond 0 to `RATE_MOST` and a burst beyond 0 to 1,
    TypeError for a rate that is no integer.
    """

    def __init__(
        self, packets_in: int = 0, bytes_in: int = 0, packets_out: int = 0, bytes_out: int = 0, burst: float = 0.1
    ) -> None: ...
    @property
    def dropped_in(self) -> int:
        """Packets that arrived and were dropped."""
    @property
    def dropped_out(self) -> int:
        """Packets that were to leave and were dropped."""
