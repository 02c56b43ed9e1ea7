from typing import Any

from typing_extensions import Buffer

from ygg_c.tcp.tcb import Tcb

class TcpConnection(Tcb):
    """One TCP connection (RFC 9293), made by `NetStack.connect` or `TcpListener.accept`.

    Nothing here blocks. Writing queues bytes, which leave in the stack's next turn; reading takes what is there.
    Times are ns, sizes bytes. Calls on a connection that ended raise OSError with `error`, or do nothing where
    that is said.
    """

    @property
    def local(self) -> tuple[bytes, int]:
        """Our address (16 bytes) and port."""
    @property
    def remote(self) -> tuple[bytes, int]:
        """The peer's address (16 bytes) and port."""
    @property
    def state(self) -> str:
        """The state's name in RFC 9293, such as "ESTABLISHED" or "FIN-WAIT-1"."""
    nodelay: bool
    """True switches Nagle's algorithm (RFC 9293, 3.7.4) off. False at first."""
    corked: bool
    """While True only full segments leave. Writing False lets the rest go."""
    keepalive: tuple[int, int, int] | None
    """(idle ns before the first probe, ns between probes, probes unanswered before ETIMEDOUT); None: off (at first)."""
    keepalive_times: tuple[int, int, int]
    """The same, whether it is on or not."""
    user_timeout: int
    """ns that sent data may stay unacknowledged before ETIMEDOUT (RFC 5482); 0: the stack's retry limit decides."""
    congestion_control: str
    """Name of its congestion control. Another takes over the windows as they are; ValueError for one that there is
    not.
    """
    linger: int | None
    """ns that `close` gives to what is queued and FIN until their acknowledgement, after which the connection is reset;
    0: `close` resets at once; None (at first): as long as it takes. Once closed, it cannot be changed."""
    quick_ack: bool
    """While True no acknowledgement is delayed. False at first."""
    mss_limit: int | None
    """Bytes of data in a segment at most, 64 to 65535; None (at first): what the path and the peer take."""
    receive_limit: int
    """Bytes that are kept unread. It grows with what the application reads, up to the stack's `receive_buffer_max`;
    once set, it stays as it is. The window that the peer was given is not taken back.
    """
    send_limit: int
    """Bytes `send` lets be queued, unacknowledged ones included. It grows up to the stack's `send_buffer_max`; once
    set, it stays as it is.
    """
    unsent_limit: int | None
    """Bytes that may be queued and not sent yet; None (at first): `send_limit` alone counts."""
    @property
    def ecn(self) -> int:
        """Whether it asks for ECN (1), agrees when a peer asks (2) or does neither (0); `info()["ecn"]` tells what came
        of it.
        """
    @property
    def write_limit(self) -> int:
        """`send_limit`, or less where the peer's node holds much of what the stack has for data to be sent."""
    @property
    def crowded(self) -> bool:
        """Whether the peer opened it and its node holds all it may of that: who answers should be asked no more."""
    def await_room(self) -> None:
        """Have WRITABLE told when `queued` has fallen to half of `write_limit`, as after a write that exceeded it."""
    @property
    def queued(self) -> int:
        """Bytes written and not yet acknowledged."""
    @property
    def send_space(self) -> int:
        """Bytes `send` would accept now."""
    @property
    def readable(self) -> int:
        """Bytes ready for `recv`."""
    @property
    def at_eof(self) -> bool:
        """True when the peer sent FIN and all before it was read."""
    def send(self, data: Buffer) -> int:
        """Queue as much of `data` as `send_space` allows and return how many bytes; WRITABLE follows a short count.

        `bytes` are kept by reference and not copied; small or mutable ones are copied. EPIPE after `shutdown_write`.
        """
    def write(self, data: Buffer) -> int:
        """Queue all of `data` whatever the limit and return `queued`. Once that exceeds `write_limit`, WRITABLE comes
        when it has fallen to half of it.
        """
    def recv(self, limit: int = ...) -> bytes:
        """Return the next bytes, at most `limit`: at most one internal chunk, so there may be more. b"" means nothing
        now, or the end when `at_eof`. A connection that failed raises OSError once what arrived has been read. What was
        not read when we called `close` or `abort` is gone.
        """
    def recv_into(self, buffer: Buffer) -> int:
        """Fill the writable `buffer` from its start and return how many bytes; 0 as b"" in `recv`."""
    def shutdown_write(self) -> None:
        """Send FIN after what is queued. Reading goes on. Does nothing the second time."""
    def close(self) -> None:
        """Give the connection up: with unread data it is reset, else what is queued is sent, then FIN, by the stack
        alone. Events still come if `on_event` stays set. On a connection that ended it only drops what was not read.
        """
    def abort(self) -> None:
        """Reset the connection now (RST) and free it. On one that ended it only drops what was not read."""
    def info(self, now: int = 0) -> dict[str, Any]:
        """Return figures by name: those of `ygg.vtun.TcpInfo`, and what the congestion control adds. Times are ns, ages
        as of `now` or of the stack's latest turn, if that was later; `ssthresh` is 2**62 before the first sign of
        congestion.
        """
