from ygg_c.endpoint import Endpoint
from ygg_c.tcp.sender import TcpSender

class Acceptor(Endpoint):
    """What made a connection that nobody has accepted yet."""

class TcpMachine(TcpSender):
    """A connection as the network sees it: segment arrival, timers, the end."""
