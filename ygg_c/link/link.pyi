from collections.abc import Callable

class Sink:
    """Carries a link's output to its transport."""

class PySink(Sink):
    """Calls `callback(link)` when a link has output; the callback writes what link.take() gives, and sets link.blocked
    when full.

    `hears(again)` tells whether the far side's transport goes on, `again` when it is not asked for the first time in
    this silence; None: it is not known.
    """

    def __init__(self, callback: Callable[[Link], object], hears: Callable[[bool], bool] | None = None) -> None: ...

class LinkHost:
    """What links need of the router above them."""

    @property
    def now(self) -> int:
        """The time of the latest turn, in ns."""
    @property
    def wall(self) -> int:
        """The unix time of the latest turn, in seconds."""

class Link:
    """One ordered byte stream to a neighbour, after the handshake. Made by Router.add_link()."""

    rx_bytes: int
    """Bytes received; the host may add those of the handshake."""
    tx_bytes: int
    """Bytes handed to the transport; the host may add those of the handshake."""
    blocked: bool
    """The transport is full: the sink is not called until this is cleared and want_flush() called."""
    @property
    def key(self) -> bytes:
        """The neighbour's 32-byte public key."""
    @property
    def port(self) -> int:
        """The number this node gives the neighbour; shared by all links to it."""
    @property
    def priority(self) -> int:
        """0 to 255; of several links to one neighbour only those with the lowest are used."""
    @property
    def cost(self) -> int:
        """Smoothed round trip in milliseconds, at least 1; 4294 before the first."""
    @property
    def latency(self) -> int:
        """The last round trip of a signature request in ns; 0 before the first."""
    @property
    def doubted(self) -> bool:
        """It was silent when another link to the neighbour was made, and has been since: the others are used."""
    @property
    def proven(self) -> bool:
        """Whether the far side has answered a signature request, which takes its key; a handshake can be replayed."""
    @property
    def held(self) -> bool:
        """Whether what has come waits for a later turn, because its work would keep others waiting; nothing is to be
        read then.
        """
    @property
    def waits(self) -> bool:
        """Whether something that has come waits until its signature may be verified, while the link goes on."""
    @property
    def order(self) -> int:
        """A number that grows with each link made."""
    @property
    def since(self) -> int:
        """When it came up, in ns of the engine's clock."""
    @property
    def rx_rate(self) -> int:
        """Bytes per second received over the last tick."""
    @property
    def tx_rate(self) -> int:
        """Bytes per second sent over the last tick."""
    @property
    def closed(self) -> bool:
        """Whether it has ended; `error` says why."""
    @property
    def error(self) -> str:
        """Empty while it is up, then the reason it closed: "EOF", "ErrDecode", "ErrTimeout" or what close() was
        given.
        """
    @property
    def drain_rate(self) -> int:
        """Bytes a second that the transport takes while it is full, as last measured; a guess where it never was."""
    @property
    def queued(self) -> int:
        """Bytes that wait for the transport, in all queues."""
    @property
    def dropped(self) -> int:
        """Packets dropped from its queue."""
    @property
    def lost(self) -> int:
        """Messages that waited here when the link closed, or were given to it later."""
    def get_buffer(self) -> memoryview:
        """Return where the next bytes of the stream go; valid until buffer_updated()."""
    def buffer_updated(self, count: int) -> bool:
        """Take `count` bytes written into get_buffer(); False when the link is closed or failing."""
    def receive(self, data: bytes) -> bool:
        """Take bytes of the stream, copying them; False when the link is closed or failing."""
    def take(self, limit: int = 262144) -> bytes:
        """Return up to about `limit` bytes for the transport, oldest first; at least one byte while there is output."""
    def want_flush(self) -> None:
        """Have the sink called at the end of this turn (or the next, outside of one)."""
    def close(self, error: str = "EOF") -> None:
        """Close it now; what waits is dropped. Does nothing the second time."""
