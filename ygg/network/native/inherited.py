"""Sockets of this process, which its children must neither read nor write.

A fork shares every socket between parent and child: each would take bytes from the other's streams and put its own
among them. In a child the sockets told here are cut off, as the engine's own descriptors are (`ygg_c.base.forks`); the
parent's go on as if nothing had happened.
"""

from __future__ import annotations

import os
import socket
import weakref
from typing import TypeVar

from ygg_c.base import forks

S = TypeVar("S", bound=socket.socket)

_sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def keep_from_children(sock: S) -> S:
    """Have `sock` cut off in children; return it."""
    _sockets.add(sock)
    return sock


def _forked() -> None:
    forks.cut([sock.fileno() for sock in _sockets if sock.fileno() >= 0])
    _sockets.clear()


os.register_at_fork(after_in_child=_forked)
