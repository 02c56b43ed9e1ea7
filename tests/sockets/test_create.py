"""ygg.sockets.create: sockets for the overlay by one call."""

import socket

import pytest

from tests.sockets.threaded import LIMIT, Threaded
from ygg.sockets import create_connection, create_datagram_socket, create_server


def test_one_call_for_each(pair: Threaded) -> None:
    with (
        create_server(pair.b, (pair.address_b, 80), backlog=5) as server,
        create_connection(pair.a, (pair.address_b, 80), LIMIT, (pair.address_a, 4000)) as one,
    ):
        assert one.gettimeout() == LIMIT
        accepted, address = server.accept()
        accepted.close()
        assert address[:2] == (pair.address_a, 4000)
    with create_datagram_socket(pair.a, (pair.address_a, 53), (pair.address_b, 53)) as one:
        assert (one.getsockname()[1], one.getpeername()[1]) == (53, 53)


def test_without_a_timeout_it_has_the_default(pair: Threaded) -> None:
    with create_server(pair.b, (None, 80)), create_connection(pair.a, (pair.address_b, 80)) as one:
        assert one.gettimeout() is None


@pytest.mark.parametrize("call", [
    lambda vtun: create_connection(vtun, ("name.example", 80)),
    lambda vtun: create_server(vtun, ("name.example", 80)),
    lambda vtun: create_datagram_socket(vtun, ("name.example", 80)),
])
def test_names_are_errors(pair: Threaded, call) -> None:
    with pytest.raises(socket.gaierror):
        call(pair.a)


def test_the_thread_of_the_loop_cannot_wait_for_itself(pair: Threaded) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        pair.thread.call(create_connection, pair.a, (pair.address_b, 80))
