from collections.abc import Iterable

from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random
from ygg_c.stack.demux import Demux
from ygg_c.stack.echo import EchoSocket
from ygg_c.stack.udp import UdpSocket
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.listener import TcpListener
from ygg_c.tcp.options import TcpOptions

class NetStack(Demux):
    """TCP, UDP and ICMPv6 for one or more IPv6 addresses, over any `Lower`. Sans-IO: it is driven by its turn.

    `addresses` are 16-byte addresses, or (address, prefix length) for all of a subnet; the first is the default
    source. `mtu` is 1280 to 65535. Calls never block and never call back; work they leave behind is announced
    to the lower side, or while there is none through `on_work`, and done in the next turn. Times are ns of the caller's
    clock, sizes bytes. `clock` is kept for who drives the stack: the stack itself knows the time of its turns.
    """

    def __init__(
        self,
        addresses: Iterable[bytes | tuple[bytes, int]],
        mtu: int = 65535,
        random: Random | None = None,
        clock: Clock | None = None,
    ) -> None: ...
    @property
    def addresses(self) -> list[tuple[bytes, int]]:
        """The addresses served, with their prefix lengths."""
    def mtu_to(self, address: bytes) -> int:
        """Return the size of the largest packet that the path to `address` (16 bytes) takes, as far as is known: `mtu`,
        or less where a host on the way said so within the last ten minutes (RFC 8201).
        """
    @property
    def down(self) -> bool:
        """Whether what was below has ended: all that was open has failed with ENETDOWN, and nothing opens until the
        stack is attached again.
        """
    def set_clock(self, now: int) -> None:
        """Tell the time, in ns, without a turn, while no lower side does: what is begun next counts from then."""

    def turn(self, now: int, wall: int = 0) -> int | None:
        """Run what is due at `now` (ns) while there is no lower side, tell what happened, and return the next deadline
        in ns; None when no timer runs, or a lower side gives the turns. `wall` is not used: drivers of nodes give
        it.
        """
    def peer_made_session(self, address: bytes, subnet: bytes) -> None:
        """Tell that the node with this address (16 bytes) and /64 (8 bytes) may have restarted: its connections are
        probed.

        Gateways do so by themselves.
        """
    def suspect_path(self, address: bytes) -> None:
        """Tell that nothing comes back from `address`: the lower side looks for another way there, if it has a
        choice.
        """
    def add_address(self, address: bytes, prefix: int = 128) -> None:
        """Serve one more address or subnet."""
    def connect(
        self,
        address: bytes,
        port: int,
        local_address: bytes | None = None,
        local_port: int = 0,
        options: TcpOptions | None = None,
    ) -> TcpConnection:
        """Start a connection; CONNECTED or FAILED follows. Local port 0 picks one (RFC 6056).

        OSError: EADDRNOTAVAIL (no such local address, or no free port), EADDRINUSE, ENETUNREACH (unspecified or
        multicast address), ENOBUFS, ENETDOWN when the stack is down, EBADF when it is closed. `abort` on the connection
        gives up and frees all. `options`: what it begins with, in place of the stack's.
        """
    def listen(
        self, address: bytes | None, port: int, backlog: int = 128, options: TcpOptions | None = None
    ) -> TcpListener:
        """Accept connections; None binds every address, port 0 picks one. EADDRINUSE, EADDRNOTAVAIL as `connect`.

        `options`: what they begin with, in place of the stack's; the listener has a copy.
        """
    def udp(
        self,
        address: bytes | None,
        port: int,
        remote: tuple[bytes, int] | None = None,
    ) -> UdpSocket:
        """Bind a UDP socket; None binds every address, port 0 picks one. EADDRINUSE, EADDRNOTAVAIL as `connect`."""
    def echo(self, address: bytes | None = None) -> EchoSocket:
        """Return a socket for echo requests from our `address` (None: the default one)."""
    def endpoints(self) -> list[TcpConnection | TcpListener | UdpSocket | EchoSocket]:
        """Everything open now; connections that are half-open or in TIME-WAIT are not."""
    max_buffered: int
    """Bytes of memory that may be held for others: what connections with other nodes received and have to send,
    datagrams that wait in sockets, fragments, and connections themselves; each node gets its part (104 MiB at first).
    What a program writes without regard to `send_space`, and the connections that it opens itself, may exceed it.
    """
    @property
    def buffered(self) -> tuple[int, int]:
        """Bytes of memory in buffers now: received (datagrams and fragments too), and to be sent."""
    @property
    def memory_in_use(self) -> int:
        """Bytes of `max_buffered` that are taken: `buffered`, and connections by what each takes while it is idle."""
    def usage(self, address: bytes) -> dict[str, int]:
        """Return what the node of an address (16 bytes; its /64 is the same node) has of this stack: `incoming`, the
        connections that it opened, `half_open`, those of them whose handshake goes on, `received` and `queued`, the
        bytes of memory that all connections with it hold in what is not read and what is to be sent, and `memory`, both
        with the connections themselves.
        """
    def counters(self) -> dict[str, int]:
        """Return what was counted since the start: packets and bytes both ways, and each reason for a drop."""
    def close(self) -> None:
        """Reset every connection and close every socket; nothing more is told."""
