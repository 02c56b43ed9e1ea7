class Layer:
    """Stands between two others and hands on all that passes, in both directions.

    Subclasses are written in Cython, for no Python runs for a packet; `layer.pxd` has the calls. `Gateway.insert` puts
    a layer between a node and what uses its packets. A layer is in one place at a time.
    """

    @property
    def upper(self) -> Layer | None:
        """The next one above; None: nothing is attached there, or this one is in no place."""
    @property
    def lower(self) -> Layer | None:
        """The next one below; None: this one is in no place, or detached."""

class Upper(Layer):
    """The top of the layers, such as a TCP/IP stack or a TUN device: takes IPv6 packets from below."""

class Lower(Layer):
    """The bottom of the layers, such as a gateway: takes IPv6 packets from above."""
