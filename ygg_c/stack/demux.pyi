from ygg_c.stack.capture import Capture
from ygg_c.tcp.demux import TcpDemux

class Demux(TcpDemux):
    """What a stack does with packets: each is checked, reassembled, and given to the endpoint it is for."""

    capture: Capture | None
    """Gets each packet that arrives, before any check, and each that leaves or is for an address of this stack itself,
    while set. None at first.
    """
    @property
    def closed(self) -> bool:
        """Whether the stack has been closed: it takes and sends nothing more."""
