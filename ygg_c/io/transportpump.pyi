from asyncio import BaseTransport, WriteTransport
from collections.abc import Callable

from ygg_c.io.pump import SocketPump
from ygg_c.node.node import Node

class TransportPump(SocketPump):
    """Drives an asyncio transport: its methods are those of an `asyncio.BufferedProtocol` and an `asyncio.Protocol`."""

    def __init__(
        self,
        node: Node,
        transport: WriteTransport,
        on_limit: Callable[[int], object] | None = None,
        fd: int = -1,
        on_blocked: Callable[[bool], object] | None = None,
    ) -> None:
        """`on_limit` is called with the bytes that the transport should hold at most, when that has changed by much.

        `fd` is the stream socket below the transport, if there is one: it is duplicated, and asked what it holds
        unsent. `on_blocked(True)` asks to have `writable` called when it has room again, `on_blocked(False)` ends that.
        """
    def connection_made(self, transport: BaseTransport) -> None:
        """Do nothing: the transport is known."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes of the stream go."""
    def buffer_updated(self, nbytes: int) -> None:
        """Take `nbytes` bytes written into `get_buffer()`, in a turn."""
    def data_received(self, data: bytes) -> None:
        """Take bytes of the stream, in a turn."""
    def eof_received(self) -> bool:
        """Close the link."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the link."""

    def pause_writing(self) -> None:
        """Hold back what the link has to send: the transport is full."""
    def resume_writing(self) -> None:
        """Send again."""
