from typing_extensions import Buffer

from ygg_c.socket.endpoint import Endpoint

class DatagramSocket(Endpoint):
    """What UDP and echo sockets share: a bounded queue of what arrived."""

    queue_limit: int
    """Bytes kept of what arrives, 32 of overhead included for each (1 MiB at first); more is dropped and counted."""
    dont_fragment: bool
    """Refuse with EMSGSIZE what is larger than the path takes, as IPV6_DONTFRAG does (RFC 3542, 11.2), instead of
    sending it in fragments (False at first).
    """
    @property
    def dropped(self) -> int:
        """How many were dropped because the queue was full."""
    def close(self) -> None:
        """Leave the stack; what was received is discarded. Does nothing the second time."""

class UdpSocket(DatagramSocket):
    """A UDP socket (RFC 768), made by `NetStack.udp`."""

    @property
    def local(self) -> tuple[bytes, int]:
        """The address (16 zero bytes: any) and port."""
    @property
    def remote(self) -> tuple[bytes, int] | None:
        """The peer of a connected socket: only its datagrams are received."""
    @property
    def pending(self) -> int:
        """Datagrams ready to be received."""
    def send(self, data: Buffer, address: bytes | None = None, port: int = 0) -> bool:
        """Send one datagram to (address, port), or to the peer of a connected socket.

        `data` has at most 65,527 bytes; what is larger than the path takes leaves in fragments (RFC 8200, 4.5).
        False: the link has no room now; nothing was sent, and WRITABLE follows. OSError: EMSGSIZE for more than
        that, or with `dont_fragment` for more than the path takes, EDESTADDRREQ, EISCONN, EBADF when closed, and on a
        connected socket once an error that came back, such as ECONNREFUSED.
        """
    def recv_many(self, limit: int = ...) -> list[tuple[bytes, tuple[bytes, int]]]:
        """Return up to `limit` datagrams with their (address, port). A pending error of a connected socket is raised
        once, what ended the socket each time, when nothing is left to read.
        """

class EchoSocket(DatagramSocket):
    """Sends ICMPv6 echo requests (RFC 4443, 4) under an identifier of its own, made by `NetStack.echo`."""

    @property
    def identifier(self) -> int:
        """The identifier in each request."""
    def send(self, address: bytes, sequence: int, payload: Buffer = b"") -> bool:
        """Send one request, with a payload of at most 65,527 bytes. False and EMSGSIZE as for `UdpSocket.send`."""
    def recv_many(self) -> list[tuple[int, int, bytes, bytes, int]]:
        """Return what came back, each as (errno, sequence, address, payload, arrival in ns): errno 0 is a reply; else
        an ICMPv6 error, from `address`, quoted our request.
        """
