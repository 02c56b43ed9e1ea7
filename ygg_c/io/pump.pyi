from collections.abc import Callable

from ygg_c.base.clock import Clock
from ygg_c.link.link import Link, Sink
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack

HAS_PUMPS: bool
"""Whether sockets and devices can be driven here; without, each transport's own methods carry its link."""

def run_turn(engine: Node | NetStack, clock: Clock) -> int | None:
    """Run a turn at the time that `clock` shows; return the ns until the next is due, or None."""

class Pump(Sink):
    """Moves bytes between one link and what carries it. A link whose carrier ends is closed, with the reason as its
    error.
    """

    @property
    def link(self) -> Link | None:
        """The link, from `start` to `close`."""

    def start(self, key: bytes, priority: int, data: bytes) -> Link:
        """Make the link to the node of `key` and have its first turn, in which it takes `data`. Return it.

        ValueError when the pump has carried a link already, and as `Router.add_link`.
        """

    def close(self) -> None:
        """Let go of link and carrier. Idempotent."""

class SocketPump(Pump):
    """Moves bytes over a stream socket, or over something that has one below it; not made itself."""

    def fileno(self) -> int:
        """The descriptor to watch; -1 where there is none, and once closed."""

    def writable(self) -> None:
        """Write what waits, in a turn."""

class StreamPump(SocketPump):
    """Drives a connected stream socket by itself. Register `readable` with the event loop as the reader of
    `fileno()`.
    """

    def __init__(
        self, node: Node, fd: int, on_blocked: Callable[[bool], object], on_paused: Callable[[bool],
                                                                                             object] | None = None
    ) -> None:
        """Duplicate the descriptor `fd`, which stays the caller's; OSError where that fails.

        `on_blocked(True)` asks to have `writable` called when the socket takes bytes again, `on_blocked(False)` ends
        that. `on_paused(True)` asks not to call `readable` until `on_paused(False)`: the link has more than it may
        handle now.
        """

    def readable(self) -> None:
        """Read what the socket holds, in bounded measure, and run a turn for each read."""
