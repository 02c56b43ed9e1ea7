from ygg_c.socket.endpoint import Endpoint
from ygg_c.tcp.options import TcpOptions

class TcpEndpoint(Endpoint):
    """A connection as its two halves and its listener know it."""

class Acceptor(Endpoint):
    """What made a connection that has not been accepted yet."""

    @property
    def options(self) -> TcpOptions:
        """What connections that are accepted begin with; its own, and what is changed counts from the next SYN on."""
