class RateSampler:
    """The delivery rate of one connection by itself. Times are ns, sizes bytes."""

    def sent(self, now: int, in_flight: int) -> int:
        """Note that a segment is sent, with `in_flight` before it; return its number."""
    def limit(self, in_flight: int) -> None:
        """Note that the application has nothing more to send."""
    def delivered(self, number: int, size: int, now: int, least_rtt: int = 0) -> tuple[int | None, bool]:
        """Note that an ACK delivers `size` bytes, of which segment `number` was sent last.

        Return the rate (bytes/s, None: no sample) and whether the application was the limit.
        """
