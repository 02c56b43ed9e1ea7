from ygg_c.endpoint import Endpoint

class TcpEndpoint(Endpoint):
    """A connection as its two halves and its listener know it."""

class Acceptor(Endpoint):
    """What made a connection that nobody has accepted yet."""
