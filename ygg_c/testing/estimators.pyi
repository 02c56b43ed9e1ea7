class RttEstimator:
    """The round-trip time's estimator of one connection by itself (RFC 6298). Times are ns."""

    def sample(self, value: int, now: int, floor: int = ..., ceiling: int = ...) -> None:
        """Take a sample of `value` at `now`. The variance term is at least `floor` (0.2 s), the timeout at most
        `ceiling` (60 s); the backoff ends.
        """
    def back_off(self) -> None:
        """Double the timeout."""
    def lost_syn(self) -> None:
        """Note that the handshake took more than one SYN: the timeout is 3 s at least until the next sample (5.7)."""
    def timeout(self, ceiling: int = ...) -> int:
        """Return the timeout with its backoff, at most `ceiling` (60 s)."""
    @property
    def smoothed(self) -> int:
        """SRTT; 0 before the first sample."""
    @property
    def variance(self) -> int:
        """RTTVAR: the largest mean deviation of the last round trips."""
    @property
    def least(self) -> int:
        """The least sample of the last 15 to 30 s."""
