"""`routed()`: blocking libraries on the overlay, unmodified.

While the body runs, calls of sockets follow a route to a VTun (`ygg.sockets.patches`). Each may hold for all threads or
for some. Several may be entered, from several threads, and left in any order, as those of `ygg.integrations.routed`.
"""

import contextlib
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ygg.blocking.front import BlockingNode
from ygg.embed.node import EmbeddedNode
from ygg.sockets import patches
from ygg.sockets.patches import SocketRoute
from ygg.vtun import VTun


@dataclass(eq=False)
class ThreadRoute(SocketRoute):
    """One `routed()` that is entered."""

    threads: "weakref.WeakSet[threading.Thread] | None" = None
    """The threads that it holds for; None for all."""

    def holds(self) -> bool:
        """Tell whether it holds for this thread."""
        return self.threads is None or threading.current_thread() in self.threads

    def started(self, thread: threading.Thread) -> None:
        """Have it hold for a thread as well that one of its own starts."""
        if self.threads is not None:
            self.threads.add(thread)


@contextlib.contextmanager
def routed(
    vtun: VTun | EmbeddedNode | BlockingNode,
    *,
    threads: Literal["all", "own"] = "all",
    hosts: Literal["overlay", "all"] = "overlay",
) -> Iterator[None]:
    """Have sockets reach addresses of the overlay through `vtun`, or a node's, while the body runs.

    Libraries that use sockets work on the overlay without a change then: they dial, listen, send and receive on its
    addresses (0200::/7, nodes and the /64s behind them). All other calls do what they did. What was opened goes on
    after the body. It may be nested, with the same or other VTuns.

    The event loop of the VTun runs in another thread than those that block, as that of `ygg.blocking.node` does. With
    `threads="own"` it holds for the calling thread, and for threads that it and they start meanwhile. With
    `hosts="all"` every host is taken for the overlay's, on IPv6 sockets: one that is bound to no address listens on all
    of the VTun's, and names are errors instead of questions to the system.
    """
    route = ThreadRoute(_vtun_of(vtun), hosts == "all")
    if threads == "own":
        route.threads = weakref.WeakSet([threading.current_thread()])
    patches.enter(route)
    try:
        yield
    finally:
        patches.leave(route)


def _vtun_of(node: VTun | EmbeddedNode | BlockingNode) -> VTun:
    if isinstance(node, BlockingNode):
        node = node.node
    return node.vtun if isinstance(node, EmbeddedNode) else node
