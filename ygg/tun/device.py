"""PacketDevice: IPv6 packets for an object written in Python."""

from __future__ import annotations

from collections.abc import Iterable

from ygg_c.ip.port import PacketPort


class PacketDevice:
    """Subclass it and override `packets_received`; `send` sends. Calls are made once a batch, from the event loop."""

    def __init__(self, mtu: int = 65535) -> None:
        """Take packets of up to `mtu` bytes."""
        self._mtu = mtu
        self._port = PacketPort(self.packets_received)

    @property
    def upper(self) -> PacketPort:
        """The engine object that is attached."""
        return self._port

    @property
    def mtu(self) -> int:
        """Bytes of the longest packet that arrives."""
        return self._mtu

    def counters(self) -> dict[str, int]:
        """Return the packets dropped here: too many in a batch, or sent while no node was there to take them."""
        return {"dropped": self._port.dropped}

    def packets_received(self, packets: list[bytes]) -> None:
        """Take the IPv6 packets of a batch, oldest first."""

    def send(self, packets: Iterable[bytes]) -> None:
        """Send IPv6 packets; their source must be an address of the node, and what cannot be sent is dropped."""
        self._port.send(packets)
