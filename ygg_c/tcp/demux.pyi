from ygg_c.socket.endpoint import Host
from ygg_c.tcp.options import TcpOptions

class TcpDemux(Host):
    """TCP's part of the way of a packet: connections, and the listeners that strangers ask for one."""

    @property
    def congestion(self) -> str:
        """Name of the congestion control of new connections, "cubic" at first;
        `ygg_c.tcp.congestion.registry.algorithms()` has all.

        ValueError for another.
        """
    @congestion.setter
    def congestion(self, name: str) -> None: ...
    @property
    def options(self) -> TcpOptions:
        """What connections begin with for which no others are given: those that are opened, and of listeners made from
        now on.
        """
    @property
    def half_open(self) -> int:
        """Connections whose handshake a listener has answered and that wait for its last ACK. They are no endpoints
        yet.
        """
    @property
    def time_waiting(self) -> int:
        """Connections in TIME-WAIT. They are no endpoints any more."""
