from ygg_c.ip.layer import Layer, Upper
from ygg_c.node.node import Node, PayloadSink

class Route:
    """A key that packets are exchanged with."""

class Waiting:
    """Packets for an unknown destination."""

class Gateway(PayloadSink):
    """The IPv6 side of a node (protocol 0.5, section 9): packets for what is attached, one thing at a time.

    Source and destination addresses are tied to session keys in both directions; what does not fit is dropped and
    counted. Calls that change what is attached raise `ForkedError` in a forked child; `detach` and `close` do not.
    """

    def __init__(self, node: Node, mtu: int = 65535) -> None:
        """Take a node's IPv6 payloads. ValueError when the node already has a gateway.

        `mtu` in bytes is clamped to 1280 … 65535; longer packets that arrive are answered with Packet Too Big.
        """

    mtu: int
    """Largest packet delivered upwards, in bytes; setting it clamps to 1280 … 65535."""

    @property
    def attached(self) -> Upper | None:
        """What takes the packets now."""

    def attach(self, upper: Upper) -> None:
        """Give packets to `upper`. ValueError when something is attached already, or `upper` is attached elsewhere."""

    def detach(self) -> Upper | None:
        """Part from what is attached and return it; packets are dropped until something else is attached."""

    def replace(self, upper: Upper) -> Upper | None:
        """Attach `upper` in place of what is attached, without a gap, and return the old one."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers between the node and what is attached, the lowest one first: packets that arrive pass them in this
        order. They stay when something else is attached; while nothing is, no packet that arrives gets to them.
        """

    def insert(self, layer: Layer, position: int | None = None) -> None:
        """Put a layer between the node and what is attached, so that all packets pass it from now on.

        `position` is the index in `layers` that it gets, as `list.insert` understands it; None puts it on top.
        ValueError when the layer is in a place already or the gateway is closed, TypeError for an `Upper` or a `Lower`.
        """

    def remove(self, layer: Layer) -> None:
        """Take a layer out; what it has held back may go at once. ValueError when it is not in this gateway."""

    def key_of(self, address: bytes) -> bytes | None:
        """Return the 32-byte key of the node that a packed address, or the /64 it is in, belongs to.

        None while it is not known: it is as long as packets come and go, and two minutes longer. ValueError when it has
        not 16 bytes.
        """

    def learn(self, key: bytes) -> None:
        """Know the node of a 32-byte key, so that nothing sent to its addresses waits for a lookup of the key."""

    def reach(self, address: bytes) -> str:
        """Return how far the way to a packed address is known.

        `own` is ours; `detached`: the gateway is closed; `no_peer`: there is no link; `no_key`: no lookup has told
        whose address it is; `no_path`: the key is known, and no lookup has told a path; `no_session`: the node there
        has not answered; `session`: it has. ValueError when it has not 16 bytes.
        """

    def counters(self) -> dict[str, int]:
        """Return the packets dropped, by reason, and those `marked` (RFC 3168) because others to the same node wait too
        long.
        """

    def close(self) -> None:
        """Detach, take all layers out and part from the node. Idempotent."""
