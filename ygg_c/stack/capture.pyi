from collections.abc import Callable

class Capture:
    """Gathers a stack's packets as Enhanced Packet Blocks of a pcapng file: `NetStack.capture` gets them while it is
    set.

    `offset` is added to the stack's clock and gives the time of day, in ns. `limit` bounds the memory for blocks in
    bytes; packets that find no room are counted and not kept. `snaplen` bytes are kept of each packet. ValueError for a
    bound of 0.
    """

    def __init__(self, offset: int = 0, limit: int = ..., snaplen: int = ...) -> None: ...
    on_ready: Callable[[], object] | None
    """Called at the end of a turn in which half of the memory came to be used, once until the next `take`. What it
    raises goes to `sys.unraisablehook`."""
    @property
    def limit(self) -> int:
        """Bytes of memory for blocks."""
    @property
    def snaplen(self) -> int:
        """Bytes kept of each packet."""
    @property
    def packets(self) -> int:
        """Packets seen."""
    @property
    def dropped(self) -> int:
        """Those of them that found no room."""
    @property
    def waiting(self) -> int:
        """Bytes of blocks that `take` would return."""
    def take(self) -> bytes:
        """Return the blocks gathered since the last call, and let go of them."""
