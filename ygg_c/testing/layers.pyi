from ygg_c.ip.layer import Layer

class CountingLayer(Layer):
    """Counts what passes."""

    @property
    def packets_in(self) -> int:
        """Packets that arrived."""
    @property
    def packets_out(self) -> int:
        """Packets that left."""
    @property
    def bytes_in(self) -> int:
        """Their bytes, of those that arrived."""
    @property
    def bytes_out(self) -> int:
        """Their bytes, of those that left."""
    @property
    def batches(self) -> int:
        """How often a batch ended."""
    @property
    def polls(self) -> int:
        """How often a turn asked for what is due."""
    @property
    def placed(self) -> int:
        """How often it was put in."""
    @property
    def taken_out(self) -> int:
        """How often it was taken out."""

class Gate(Layer):
    """Lets nothing pass while it is shut, and refuses credit; those refused are not told when it opens."""

    shut: bool
    """Whether nothing passes."""

    def __init__(self, shut: bool = True) -> None: ...
    @property
    def dropped(self) -> int:
        """Packets that did not pass."""
    @property
    def refused(self) -> int:
        """How often credit was refused."""
