class CongestionTap:
    """One connection's congestion control, told by Python what happens. Sizes are bytes, times ns."""

    cwnd: int
    """The congestion window."""
    @property
    def ssthresh(self) -> int:
        """The slow start threshold; 2**62: none yet."""
    @property
    def pacing_rate(self) -> int:
        """Bytes/s at which segments may leave; 0: as the sender derives it."""
    def __init__(self, name: str, mss: int, segments: int = ...) -> None: ...
    def info(self) -> dict[str, float]:
        """Return the algorithm's own figures."""
    def segment_size(self, mss: int) -> None:
        """Tell a new segment size."""
    def start(self, segments: int) -> None:
        """Tell the size of the first window."""
    def sent(self, now: int, size: int, in_flight: int) -> None:
        """Tell that a segment left."""
    def acked(
        self, now: int, size: int, *, in_flight: int = 0, rtt: int = 0, srtt: int = 0, una: int = 0, nxt: int = 0,
        rate: int = 0, app_limited: bool = False, cwnd_limited: bool = True, after_timeout: bool = False,
    ) -> None:
        """Tell an ACK."""
    def lost(self, size: int, in_flight: int, now: int) -> None:
        """Tell the start of a loss event."""
    def recovered(self, in_flight: int, now: int) -> None:
        """Tell its end."""
    def timed_out(self, in_flight: int, first: bool, now: int) -> None:
        """Tell that the retransmission timer expired."""
    def ecn(self, in_flight: int, now: int) -> None:
        """Tell that the path has marked a packet."""
    def undone(self, now: int) -> None:
        """Tell that the last loss was none."""
    def idle(self, duration: int, rto: int, now: int) -> None:
        """Tell that something leaves after a pause."""
    def follow(self, other: CongestionTap) -> None:
        """Have it go on where another algorithm was."""
