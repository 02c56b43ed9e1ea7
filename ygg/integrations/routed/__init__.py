"""Libraries for asyncio on the overlay, unmodified: `with routed(vtun): ...`.

Replaces methods of the running event loop, of that one object, while the body runs: what is asked of them for an
address of the overlay is done by a VTun, and everything else as before. Takes a VTun; gives what the event loop's own
methods give. For programs, and for the integrations beside it.
"""

from ygg.integrations.routed.loop import routed
from ygg.integrations.routed.sockets import listening_socket

__all__ = ["listening_socket", "routed"]
