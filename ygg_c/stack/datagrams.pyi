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
