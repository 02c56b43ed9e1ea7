from collections.abc import Callable
from typing import Final

from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random
from ygg_c.base.timers import Timed
from ygg_c.ip.layer import Upper

COUNT_NAMES: tuple[str, ...]
"""What a stack counts, in the order of the engine's numbers: see `NetStack.counters`."""
READABLE: Final = 1
"""There is something to read: stream data, a datagram, an echo reply, or on a listener a connection to accept."""
WRITABLE: Final = 2
"""There is room to write again, after a call that found none."""
CONNECTED: Final = 4
"""The handshake of a connection opened by us completed."""
EOF: Final = 8
"""The peer sent FIN: after what is readable nothing follows."""
FAILED: Final = 16
"""`error` was set. A connection is dead then (CLOSED comes with it); a datagram socket lives on, unless CLOSED
comes.
"""
CLOSED: Final = 32
"""Nothing further will happen: both directions ended, or it failed. `on_event` is forgotten after this event."""
DRAINED: Final = 64
"""All that was written, and the FIN behind it, has been acknowledged."""

class Host(Upper):
    """What endpoints ask of the stack that holds them, and the limits it sets them."""

    @property
    def clock(self) -> Clock:
        """What tells the time to the code that drives the stack."""
    @property
    def random(self) -> Random:
        """Where its random bytes come from."""
    @property
    def mtu(self) -> int:
        """Bytes of the largest packet, 1280 to 65535."""
    @property
    def now(self) -> int:
        """The time of the latest turn, in ns."""
    on_work: Callable[[], object] | None
    """Called when a turn is needed and no lower side is there to give one, once until the next: call `turn` soon."""
    min_rto: int
    """Lower bound of the retransmission timeout, in ns (200 ms at first)."""
    max_rto: int
    """Upper bound of the retransmission timeout, in ns (60 s at first)."""
    delayed_ack: int
    """ns a lone segment waits for its ACK (RFC 9293, 3.8.6.3; 40 ms at first)."""
    retries: int
    """Consecutive retransmission timeouts before a connection ends with ETIMEDOUT (15 at first)."""
    syn_retries: int
    """Retransmissions of a SYN before ETIMEDOUT (6 at first: about two minutes)."""
    time_wait: int
    """ns a connection stays in TIME-WAIT (60 s at first)."""
    fin_wait: int
    """ns a closed connection waits in FIN-WAIT-2 (60 s at first)."""
    receive_buffer: int
    """Receive window a connection starts with (1 MiB at first)."""
    receive_buffer_max: int
    """What the receive window may grow to (32 MiB at first: 1 Gbit/s over 200 ms)."""
    send_buffer: int
    """`send_limit` a connection starts with (1 MiB at first)."""
    send_buffer_max: int
    """What `send_limit` may grow to (32 MiB at first: 1 Gbit/s over 200 ms)."""
    syn_queue: int
    """Half-open connections a listener keeps, or as many as its backlog if that is more; each remote node at most as
    many as are free (1024 at first). Beyond that SYN cookies serve.
    """
    syn_cookies: int
    """Whether a SYN that finds no room in a listener's queue is answered with a cookie: 0 never (it is dropped), 1 then
    (at first), 2 always and without a queue.
    """
    ecn: int
    """Explicit congestion notification (RFC 3168): 0 never, 1 asked for by `connect` and agreed with where a peer asks
    (at first), 2 only the latter. Of connections opened from now on.
    """
    syn_ack_retries: int
    """Repetitions of a SYN,ACK before a half-open connection is forgotten, 15 at most (5 at first: about a minute)."""
    max_time_wait: int
    """Connections kept in TIME-WAIT; beyond it the oldest of the node that has the most goes (16384 at first)."""
    max_orphans: int
    """Connections that were closed and have yet to send what was written; beyond it the oldest of the node that has the
    most is reset (4096 at first). So it is where they hold more than three eighths of `max_buffered` and its peer takes
    less than 4 KiB a second.
    """
    orphan_time: int
    """ns that such a connection may take, and a second more for each 4 KiB that it had to send when it was closed (ten
    minutes at first; 0: as long as its peer likes). In FIN-WAIT-2 `fin_wait` counts.
    """
    orphan_retries: int
    """`retries` of such connections, if that is less (8 at first)."""
    max_connections: int
    """Connections of any state; beyond it `connect` raises ENOBUFS (65536 at first). An eighth of them is kept for
    `connect`. Each also takes 1344 bytes of `max_buffered`.
    """
    max_connections_per_node: int
    """Connections that one remote node may have opened, a quarter of `max_connections` at most (1024 at first)."""
    keepalive_idle: int
    """ns after which an idle connection that another node has opened is probed, unless it has a `keepalive` of its own:
    two hours at first, ten minutes where half of the places that strangers may have are taken, and one where three
    quarters are. 0: never.
    """
    keepalive_interval: int
    """ns between those probes (75 s at first, 10 s where places are scarce)."""
    keepalive_count: int
    """Those probes unanswered before ETIMEDOUT (9 at first, 3 where places are scarce)."""

class Endpoint(Timed):
    """One socket of the stack. Events gather while packets are processed and are told once for each batch."""

    on_event: Callable[[int], object] | None
    """Called with the event flags, from the turn of the stack and never from inside a call to it. What happened while
    there was no handler is told when a handler is set. An exception from it goes to `sys.unraisablehook`."""
    owner: object
    """For the caller's use; dropped with the last event."""
    @property
    def error(self) -> int:
        """The errno of what went wrong, or 0."""
    @property
    def closed(self) -> bool:
        """Whether the endpoint has left its stack; a connection in TIME-WAIT has."""
    @property
    def clock(self) -> Clock | None:
        """The clock of its stack; None once it has left it."""
