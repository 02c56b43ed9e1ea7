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
    @property
    def closed(self) -> bool:
        """Whether the stack has been closed: it takes and sends nothing more."""
