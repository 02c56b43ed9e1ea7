"""The private names of event loops that ygg touches, all but one of `VirtualLoop`, each for want of a public one."""

import asyncio
import socket
import sys
from asyncio import constants, transports
from collections.abc import Mapping
from typing import Any, ClassVar

# asyncio's and uvloop's own transports over a stream socket, without TLS. An exact type, not a subclass: one that
# overrides read or write means something by it.
PLAIN = {
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("uvloop.loop", "TCPTransport"),
    ("uvloop.loop", "UnixTransport"),
}
"""Modules and names of those types."""


class StartTLSCompatible:
    """Mixin that makes `loop.start_tls()` of asyncio's own loops accept a transport."""

    _start_tls_compatible: ClassVar[bool] = True


class SendfileCompatible(transports._FlowControlMixin):
    """Base that makes `loop.sendfile()` of asyncio's own loops accept a transport, to which it writes block by block.

    For that it looks at `_protocol_paused`: the transport says there whether the protocol was told to pause writing.
    """

    _sendfile_compatible: ClassVar = constants._SendfileMode.FALLBACK
    _protocol_paused: bool

    def __init__(self, extra: Mapping[str, Any] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        super().__init__(extra, self._loop)


def descriptor_of(transport: asyncio.BaseTransport) -> int | None:
    """Return the descriptor of the socket that `transport` is, or None where bytes must go through its methods."""
    kind = type(transport)
    if (kind.__module__, kind.__qualname__) not in PLAIN or sys.platform == "win32":
        return None
    sock = transport.get_extra_info("socket")
    if sock is None or sock.type != socket.SOCK_STREAM:
        return None
    descriptor = sock.fileno()
    return descriptor if isinstance(descriptor, int) and descriptor >= 0 else None
