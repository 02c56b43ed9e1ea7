from ygg_c.tcp.base import Acceptor
from ygg_c.tcp.connection import TcpConnection

class TcpListener(Acceptor):
    """Accepts connections on one port of one address, or of every address of the stack."""

    @property
    def local(self) -> tuple[bytes, int]:
        """The address (16 zero bytes: any) and port."""
    @property
    def backlog(self) -> int:
        """Completed connections kept for `accept`; further handshakes wait for room."""
    listening: bool
    """False keeps the port and refuses connections, as a socket that is bound and does not listen. True at first."""
    def accept(self) -> TcpConnection | None:
        """Return the oldest connection whose handshake completed, or None."""
    def close(self) -> None:
        """Stop listening; connections not accepted are reset, half-open ones too. Does nothing the second time."""
