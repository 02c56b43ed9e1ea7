from typing import Self

class TcpOptions:
    """What TCP connections begin with. Times are ns, sizes bytes; attributes are those of `TcpConnection`."""

    nodelay: bool
    """False at first."""
    corked: bool
    """False at first."""
    quick_ack: bool
    """False at first."""
    keepalive: tuple[int, int, int] | None
    """None at first."""
    keepalive_times: tuple[int, int, int]
    """Two hours, 75 s and 9 at first (RFC 9293, 3.8.4)."""
    user_timeout: int
    """0 at first."""
    linger: int | None
    """None at first."""
    send_limit: int | None
    """None (at first): it begins with the stack's `send_buffer`, and grows."""
    receive_limit: int | None
    """None (at first): it begins with the stack's `receive_buffer`, and grows. It sets the window that a SYN offers,
    too.
    """
    unsent_limit: int | None
    """None at first."""
    mss_limit: int | None
    """None at first. A SYN offers no more either."""
    ecn: int | None
    """As the stack's `ecn`; None (at first): the stack's."""
    congestion_control: str | None
    """None (at first): the stack's `congestion`."""
    def copy(self) -> Self:
        """Return others with the same values."""
