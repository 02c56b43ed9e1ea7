"""The figures of one TCP connection, as Linux's `struct tcp_info` has them and more."""

import dataclasses
from typing import Any, Self

from ygg.vtun.addresses import SocketAddress, endpoint
from ygg_c.tcp.connection import TcpConnection

_NO_THRESHOLD = 1 << 62
_NS = 1e-9
_TIMES = (
    "rtt", "rtt_var", "rtt_min", "rto", "receive_rtt", "last_sent", "last_received", "last_progress", "last_heard",
    "reordering_window", "timer_in",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TcpInfo:
    """How a TCP connection fares, at one moment. Times are seconds, sizes bytes of data, rates bytes a second."""

    local: SocketAddress
    """Our address and port, as in `getsockname`."""
    remote: SocketAddress
    """The peer's, as in `getpeername`."""
    state: str
    """Its name in RFC 9293, such as "ESTABLISHED"."""

    # Round trips
    rtt: float
    """The smoothed round trip (RFC 6298); 0: nothing is measured yet."""
    rtt_var: float
    """Its variance, as RFC 6298 has it."""
    rtt_min: float
    """The least of the last minutes."""
    receive_rtt: float
    """The least round trip that the receiving side has seen of late, by timestamps; 0: none."""
    rto: float
    """The retransmission timeout, backoff included."""
    backoff: int
    """How often it has been doubled."""

    # Sending
    congestion: str
    """The congestion control's name."""
    phase: str
    """"open", "recovery" (of a loss), "loss" (the timer expired) or "repair" (of no loss: the path takes less)."""
    cwnd: int
    """The congestion window."""
    ssthresh: int | None
    """None: no sign of congestion was seen yet."""
    delivery_rate: int
    """The latest sample; 0: none, or nothing is under way."""
    app_limited: bool
    """Whether the application, not a window, was what limited it."""
    in_flight: int
    """Sent and not acknowledged in order."""
    outstanding: int
    """Believed to be in the network: of that, what is neither SACKed nor lost."""
    sacked: int
    """Received by the peer, as it says, beyond what is missing (RFC 2018)."""
    lost: int
    """Lost and not sent again yet."""
    unsent: int
    """Written and not sent yet."""
    send_queued: int
    """Written and not acknowledged."""
    send_buffer: int
    """What `send_queued` may be before the application is to wait."""
    send_memory: int
    """Memory that this, and the records of what is in flight, take."""
    send_window: int
    """What the peer takes."""
    waits_for: str
    """What keeps the next segment from leaving: "application" (there is no data), "congestion window", "receive window"
    (the peer's), "link" (it is full, or others have their turn), "nagle", "cork" or "handshake"."""
    mss: int
    """Data of a full segment."""
    peer_mss: int
    """The peer's MSS option."""
    path_mtu: int
    """The largest packet that the path takes, headers included."""
    retransmits: int
    """Segments sent again."""
    timeouts: int
    """How often the retransmission or persist timer has expired."""
    unanswered: int
    """Timeouts and window probes since the peer last answered."""
    reordering: bool
    """Whether segments were seen to overtake one another."""
    reordering_window: float
    """How much longer than a round trip a segment may take before it counts as lost (RFC 8985)."""

    # Receiving
    receive_window: int
    """What the peer may still send."""
    receive_buffer: int
    """What may be unread; it grows with use."""
    receive_memory: int
    """Memory that what was received takes."""
    receive_mss: int
    """The largest segment that came."""
    readable: int
    """Received in order and not read."""
    out_of_order: int
    """Received beyond what is missing."""

    # Timers and ages
    timer: str | None
    """The timer that expires next: "retransmission", "persist", "tail loss probe", "reordering", "delayed ACK",
    "keepalive", "FIN-WAIT-2" or "user timeout"."""
    timer_in: float | None
    """When, from now; None: no timer runs."""
    keepalive_probes: int
    """Those without an answer."""
    last_sent: float | None
    """Since data left; None: none did."""
    last_received: float | None
    """Since data came; None: none did."""
    last_heard: float
    """Since any segment came."""
    last_progress: float | None
    """Since the peer acknowledged something new, or had nothing to."""

    # Negotiated
    sack: bool
    """Whether SACK is in use (RFC 2018)."""
    timestamps: bool
    """Whether timestamps are in use (RFC 7323)."""
    ecn: bool
    """Whether ECN is (RFC 3168)."""
    send_scale: int
    """The shift of windows that the peer sends."""
    receive_scale: int
    """The shift of windows that we send."""

    # Totals
    bytes_in: int
    """Received in order."""
    bytes_sent: int
    """Each byte once."""
    bytes_acknowledged: int
    """Of those, acknowledged."""
    bytes_out: int
    """Those sent again included."""
    segments_in: int
    """Segments that came, of data and without."""
    segments_out: int
    """Segments that left."""

    details: dict[str, Any]
    """What the congestion control, and later versions, add."""

    @classmethod
    def of(cls, connection: TcpConnection) -> Self:
        """Return the figures of a connection as they are now."""
        clock = connection.clock
        figures = connection.info(0 if clock is None else clock.now())
        for name in _TIMES:
            if figures[name] is not None:
                figures[name] *= _NS
        if figures["ssthresh"] == _NO_THRESHOLD:
            figures["ssthresh"] = None
        known = {field.name: figures.pop(field.name) for field in dataclasses.fields(cls) if field.name in figures}
        return cls(
            local=endpoint(*connection.local), remote=endpoint(*connection.remote), details=figures, **known
        )
