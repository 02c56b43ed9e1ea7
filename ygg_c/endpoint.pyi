from collections.abc import Callable
from typing import Final

from ygg_c.packetio import Upper

READABLE: Final = 1
"""There is something to read: stream data, a datagram, an echo reply, or on a listener a connection to accept."""
WRITABLE: Final = 2
"""There is room to write again, after a call that found none."""
CONNECTED: Final = 4
"""The handshake of a connection opened by us completed."""
EOF: Final = 8
"""The peer sent FIN: after what is readable nothing follows."""
FAILED: Final = 16
"""`error` was set. A connection is dead then (CLOSED comes with it); a datagram socket lives on."""
CLOSED: Final = 32
"""Nothing further will happen: both directions ended, or it failed. `on_event` is forgotten after this event."""
DRAINED: Final = 64
"""All that was written, and the FIN behind it, has been acknowledged."""

class Host(Upper):
    """What endpoints ask of the stack that holds them."""

class Endpoint:
    """One socket of the stack. Events gather while packets are processed and are told once for each batch."""

    on_event: Callable[[int], object] | None
    """Called with the event flags, from the turn of the stack and never from inside a call to it. What happened while
    nobody listened is told when a handler is set. An exception from it goes to `sys.unraisablehook`."""
    owner: object
    """For the caller's use; dropped with the last event."""
    @property
    def error(self) -> int:
        """The errno of what went wrong, or 0."""
    @property
    def closed(self) -> bool:
        """Whether the endpoint has left its stack."""
