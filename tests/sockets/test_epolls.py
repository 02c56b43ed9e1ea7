"""ygg.sockets.epolls: what epolls were asked of a descriptor is asked of the file that takes it over."""

import errno
import os
import select
import selectors
import socket

import pytest

from tests.sockets.threaded import LIMIT, Threaded
from ygg.blocking import routed
from ygg.sockets import epolls
from ygg.sockets.epolls import Registration

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll")


def test_what_is_registered_is_found_and_asked_again() -> None:
    here, there = socket.socketpair()
    with here, there, socket.socket() as sock, select.epoll() as one, select.epoll() as other, select.epoll():
        number = sock.fileno()
        assert epolls.registrations(number) == []
        one.register(sock, select.EPOLLIN | select.EPOLLET)
        other.register(sock, select.EPOLLOUT)
        other.register(there, select.EPOLLIN)
        found = epolls.registrations(number)
        assert {(of.epoll, of.events & 0xFF) for of in found} == {
            (one.fileno(), (select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP)),
            (other.fileno(), (select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP)),
        }
        os.dup2(here.fileno(), number)
        assert one.poll(0) == other.poll(0) == []
        epolls.ask_again(number, found)
        assert other.poll(0) == [(number, select.EPOLLOUT)]
        there.send(b"word")
        assert one.poll(LIMIT) == [(number, select.EPOLLIN)]
        assert one.poll(0) == []    # it tells of edges, as before


def test_an_epoll_that_is_gone_and_one_that_was_asked_meanwhile() -> None:
    with socket.socket() as sock, select.epoll() as epoll:
        epoll.register(sock, select.EPOLLIN)
        epolls.ask_again(sock.fileno(), [Registration(epoll.fileno(), select.EPOLLIN), Registration(1 << 20, 1)])
        assert [of.epoll for of in epolls.registrations(sock.fileno())] == [epoll.fileno()]


def test_a_closed_descriptor_has_none() -> None:
    with socket.socket() as sock:
        number = sock.fileno()
    assert epolls.registrations(number) == []


def test_a_socket_that_was_registered_before_it_connects(pair: Threaded) -> None:
    with (
        routed(pair.a), routed(pair.b), selectors.EpollSelector() as selector,
        socket.create_server((pair.address_b, 80), family=socket.AF_INET6) as server,
        socket.socket(socket.AF_INET6) as sock,
    ):
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_WRITE)
        assert sock.connect_ex((pair.address_b, 80)) == errno.EINPROGRESS
        ready = selector.select(LIMIT)
        assert [(key.fileobj, events) for key, events in ready] == [(sock, selectors.EVENT_WRITE)]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        selector.modify(sock, selectors.EVENT_READ)
        other, _ = server.accept()
        with other:
            other.send(b"word")
            assert selector.select(LIMIT)
            assert sock.recv(10) == b"word"
        selector.unregister(sock)


def test_one_that_was_registered_before_it_listens(pair: Threaded) -> None:
    with routed(pair.a), routed(pair.b), select.epoll() as epoll, socket.socket(socket.AF_INET6) as server:
        epoll.register(server, select.EPOLLIN)
        server.bind((pair.address_b, 80))
        server.listen()
        assert epoll.poll(0) in ([], [(server.fileno(), select.EPOLLHUP)])
        with socket.create_connection((pair.address_b, 80), LIMIT):
            events = dict(epoll.poll(LIMIT))
            assert events[server.fileno()] & select.EPOLLIN
            server.accept()[0].close()
