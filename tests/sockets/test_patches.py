"""ygg.sockets.patches: calls of sockets follow the routes that are entered, where each holds."""

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.expecting import raises_errno
from tests.sockets.threaded import LIMIT, Threaded
from ygg.sockets import create_server, patches
from ygg.sockets.patches import FUNCTIONS, METHODS, SocketRoute
from ygg.sockets.standing import standing


@dataclass(eq=False)
class Switched(SocketRoute):
    """A route that holds or not, and notes the threads that begin."""

    on: bool = True
    threads: tuple[threading.Thread, ...] = ()

    def holds(self) -> bool:
        return self.on

    def started(self, thread: threading.Thread) -> None:
        self.threads = (*self.threads, thread)


@contextlib.contextmanager
def entered(route: Switched) -> Iterator[Switched]:
    patches.enter(route)
    try:
        yield route
    finally:
        patches.leave(route)


def seen() -> list[Any]:
    return [*(vars(socket.socket).get(name) for name in METHODS), *(vars(socket).get(name) for name in FUNCTIONS)]


def test_calls_follow_a_route_where_it_holds(pair: Threaded) -> None:
    before = seen()
    with create_server(pair.b, (pair.address_b, 80)) as server, entered(Switched(pair.a, False)) as route:
        with socket.create_connection(server.getsockname()[:2], LIMIT) as sock:
            assert standing(sock) is not None
            server.accept()[0].close()
        route.on = False
        with socket.socket(socket.AF_INET6) as sock:
            with raises_errno(errno.EADDRNOTAVAIL):     # the system's, which has no such address
                sock.bind((pair.address_a, 80))
            assert standing(sock) is None
    assert seen() == before


def test_a_route_hears_of_threads_that_begin_where_it_holds(pair: Threaded) -> None:
    with entered(Switched(pair.a, False)) as route:
        one = threading.Thread(target=lambda: None)
        one.start()
        route.on = False
        other = threading.Thread(target=lambda: None)
        other.start()
        one.join()
        other.join()
        assert route.threads == (one,)
