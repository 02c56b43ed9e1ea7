"""Two VTuns on one wire, whose event loop has a thread of its own."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.blocking import LoopThread
from ygg.sockets import create_connection, create_server
from ygg.vtun import VTun

LIMIT = 30.0
"""Seconds after which what blocks fails."""


@dataclass
class Threaded:
    """VTun `a` and VTun `b`, in the loop of `thread`."""

    thread: LoopThread
    a: VTun
    b: VTun
    address_a: str = ADDRESS_A
    address_b: str = ADDRESS_B


@contextlib.contextmanager
def threaded() -> Iterator[Threaded]:
    with LoopThread("ygg test") as thread:
        running: Any = joined()
        pair = thread.run(running.__aenter__())
        try:
            yield Threaded(thread, pair.a, pair.b)
        finally:
            thread.run(running.__aexit__(None, None, None))


@contextlib.contextmanager
def connected(pair: Threaded) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield both ends of a connection, that which has dialed first."""
    with (
        create_server(pair.b, (pair.address_b, 0)) as server,
        create_connection(pair.a, server.getsockname()[:2], LIMIT) as one,
    ):
        server.settimeout(LIMIT)
        other, _ = server.accept()
        other.settimeout(LIMIT)
        with other:
            yield one, other
