"""Sockets that a program has bound on the overlay by itself, and hands to its event loop: their addresses are given up
for a server, or an endpoint, of the loop's own, whose bytes pass through no descriptor.
"""

import asyncio
import socket
from typing import Any

from ygg.sockets.datagrams import Datagrams
from ygg.sockets.listeners import Listening
from ygg.sockets.standing import standing
from ygg.vtun import VTun
from ygg.vtun.addresses import Host

Ends = tuple[VTun, tuple[Host | None, int], tuple[Host, int] | None]
"""A VTun, an address of its own, and the peer's if there is one; each address is (host, port)."""


def give_up(sock: Any, loop: asyncio.AbstractEventLoop, kind: type[Listening] | type[Datagrams]) -> Ends | None:
    """Return the address of a socket that stands for one of that kind, which is free then, and close the descriptor.

    None for any other socket, for those whose VTun has another loop, and for those that listen already.
    """
    found = standing(sock) if isinstance(sock, socket.socket) else None
    if not isinstance(found, kind) or found.vtun.loop is not loop:
        return None
    if isinstance(found, Listening) and (found.server is None or found.server.is_serving()):
        return None
    remote = None if found.remote is None else (found.remote[0], found.remote[1])
    local = found.unbind()
    socket.socket.close(sock)       # it tells its name yet
    return found.vtun, local, remote


def local_of(sock: socket.socket) -> tuple[Host | None, int] | None:
    """Return the address that a stream socket is bound to on the overlay, which is free then; None for any other."""
    found = standing(sock)
    return found.unbind() if isinstance(found, Listening) else None
