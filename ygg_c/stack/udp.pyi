from typing_extensions import Buffer

from ygg_c.stack.datagrams import DatagramSocket

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
