"""The IPv6 side of a node: packets to and from the overlay, for one thing that is attached (protocol 0.5, IPv6)."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from ygg.config.defaults import MTU_CEILING
from ygg_c.ip.layer import Layer
from ygg_c.node.gateway import Gateway as EngineGateway

if TYPE_CHECKING:
    from ygg.node.core import Core


class Gateway:
    """Finds the key behind an address and ties what arrives to the key it came from; a `TunAdapter` goes on top.

    Packets with a source that is not ours, or not the sender's, are dropped and counted.
    """

    def __init__(self, node: Core, mtu: int = MTU_CEILING) -> None:
        """Take the IPv6 traffic of a running node. `ValueError` when something has taken it already.

        Longer packets than `mtu` bytes (1280 to 65535) that arrive are answered with Packet Too Big.
        """
        self._node = node
        self._gateway = EngineGateway(node.engine, mtu)

    @property
    def address(self) -> IPv6Address:
        """The address of the node."""
        return self._node.address

    @property
    def subnet(self) -> IPv6Network:
        """The /64 that is routed to the node."""
        return self._node.subnet

    @property
    def mtu(self) -> int:
        """Bytes of the longest packet that arrives; setting it clamps to 1280 … 65535."""
        return self._gateway.mtu

    @mtu.setter
    def mtu(self, mtu: int) -> None:
        self._gateway.mtu = mtu

    @property
    def engine(self) -> EngineGateway:
        """The engine, for what attaches to it."""
        return self._gateway

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that packets pass between the node and what is attached: those that arrive in this order."""
        return self._gateway.layers

    def insert(self, layer: Layer, position: int | None = None) -> None:
        """Have all packets pass `layer` from now on, at this index of `layers`; None: above the others.

        Layers are written in Cython (`ygg_c/ip/layer.pxd`). They stay when another device is attached, and leave when
        the gateway closes. ValueError when the layer is in a place already, or the gateway is closed.
        """
        self._gateway.insert(layer, position)

    def remove(self, layer: Layer) -> None:
        """Take a layer out, and have what it held back go at once. ValueError when it is not here."""
        self._gateway.remove(layer)

    def counters(self) -> dict[str, int]:
        """Return the packets dropped, by reason."""
        return self._gateway.counters()

    def close(self) -> None:
        """Detach what is attached and leave the node to others. Idempotent."""
        self._gateway.close()


ReadWriteCloser = Gateway
"""`Gateway`, by the name that the reference implementation has for it."""
