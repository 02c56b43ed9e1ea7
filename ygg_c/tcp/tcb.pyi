from ygg_c.tcp.base import TcpEndpoint

class Tcb(TcpEndpoint):
    """A connection but for what the application calls (RFC 9293, 3.3.1)."""
