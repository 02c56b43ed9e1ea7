"""ygg.sockets.standing: what differs in a socket that stands for something on the overlay."""

import socket

from tests.integrations.answering import CLIENT, SERVER
from tests.sockets.threaded import LIMIT, Threaded, connected
from ygg.sockets import create_server, public_key
from ygg.sockets.create import connect
from ygg.sockets.listeners import Listening
from ygg.sockets.standing import standing, what
from ygg.sockets.streams import Connection


def test_it_stays_what_it_was(pair: Threaded) -> None:
    class Own(socket.socket):
        """One with attributes."""

        label = ""

    with create_server(pair.b, (pair.address_b, 0)) as server, Own(socket.AF_INET6) as sock:
        sock.label = "mine"
        sock.settimeout(LIMIT)
        connect(pair.a, sock, server.getsockname()[:2])
        assert isinstance(sock, Own)
        assert (sock.label, sock.gettimeout()) == ("mine", LIMIT)
        assert (sock.family, sock.type) == (socket.AF_INET6, socket.SOCK_STREAM)
        assert type(sock).__name__ == "Own"
        assert pair.address_b in repr(sock)
        assert isinstance(standing(server), Listening)
        server.accept()[0].close()


def test_what_has_taken_the_descriptor_over_stands_for_the_same(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        connection = standing(one)
        assert isinstance(connection, Connection)
        with SERVER.wrap_socket(other, server_side=True, do_handshake_on_connect=False) as secured:
            assert isinstance(what(secured), Connection)
            assert standing(secured) is None
        with one.dup() as again:
            assert what(again) is connection
        with CLIENT.wrap_socket(one, do_handshake_on_connect=False) as secured:
            assert what(secured) is connection
            assert public_key(secured) is None      # there is no node below these


def test_sockets_of_the_system_stand_for_nothing() -> None:
    here, there = socket.socketpair()
    with here, there, socket.socket(socket.AF_INET6) as sock:
        assert [what(one) for one in (here, there, sock)] == [None] * 3
