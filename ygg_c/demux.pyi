from ygg_c.capture import Capture
from ygg_c.endpoint import Host

class Demux(Host):
    """What a stack does with packets: each is checked, reassembled, and given to the endpoint it is for."""

    @property
    def congestion(self) -> str:
        """Name of the congestion control of new connections, "cubic" at first; `ygg_c.tcp.congestion.registry.algorithms()` has all.

        ValueError for another.
        """
    @congestion.setter
    def congestion(self, name: str) -> None: ...
    capture: Capture | None
    """Gets each packet that arrives, before any check, and each that leaves or is for an address of this stack itself, while set.
    None at first.
    """
    @property
    def closed(self) -> bool:
        """Whether the stack has been closed: it takes and sends nothing more."""
