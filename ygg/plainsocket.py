"""Telling a transport that is a stream socket and nothing more. Every private name of an event loop is in this file."""

from __future__ import annotations

import asyncio
import socket
import sys

# asyncio's and uvloop's own transports over a stream socket, without TLS. An exact type, not a subclass: one that
# overrides read or write means something by it.
PLAIN = {
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("uvloop.loop", "TCPTransport"),
    ("uvloop.loop", "UnixTransport"),
}
"""Modules and names of those types."""


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
