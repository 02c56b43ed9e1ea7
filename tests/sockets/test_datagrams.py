"""ygg.sockets.datagrams: datagram sockets on the overlay."""

import contextlib
import errno
import select
import socket

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from tests.sockets.threaded import LIMIT, Threaded
from ygg.sockets import create_datagram_socket
from ygg.sockets.create import bind, connect
from ygg.sockets.datagrams import HEADER, source


def test_datagrams_with_their_addresses(pair: Threaded) -> None:
    with create_datagram_socket(pair.a) as one, create_datagram_socket(pair.b, (pair.address_b, 53)) as other:
        for sock in (one, other):
            sock.settimeout(LIMIT)
        one.sendto(b"first", (pair.address_b, 53))
        assert one.sendmsg([b"second", b"ary"], (), 0, (pair.address_b, 53)) == 9
        one.sendto(b"", 0, (pair.address_b, 53))
        assert select.select([other], [], [], LIMIT)[0] == [other]
        data, address = other.recvfrom(100)
        assert (data, address[0]) == (b"first", pair.address_a)
        assert other.recv(3) == b"sec"      # what does not fit is gone
        space = bytearray(10)
        assert other.recvfrom_into(space) == (0, address)
        other.sendto(bytes(60_000), address)
        assert one.recv_into(bytearray(65535)) == 60_000
        other.sendto(b"message", address)
        data, ancillary, flags, name = one.recvmsg(4)
        assert (data, ancillary, name[:2]) == (b"mess", [], (pair.address_b, 53))
        assert flags & socket.MSG_TRUNC


def test_connected(pair: Threaded) -> None:
    with create_datagram_socket(pair.b, (None, 53)) as other, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        other.settimeout(LIMIT)
        connect(pair.a, one, (pair.address_b, 53))
        assert one.getpeername()[:2] == (pair.address_b, 53)
        assert one.send(b"word") == 4
        assert other.recvfrom(10) == (b"word", one.getsockname())
        one.sendall(b"words")
        assert other.recv(10) == b"words"
        with raises_errno(errno.EISCONN):
            one.sendto(b"word", (pair.address_b, 54))
        port = one.getsockname()[1]
        connect(pair.a, one, (pair.address_b, 54))
        assert one.getsockname()[1] == port


def test_what_cannot_be_sent(pair: Threaded) -> None:
    with create_datagram_socket(pair.a) as one:
        with raises_errno(errno.EDESTADDRREQ):
            one.send(b"word")
        with raises_errno(errno.EMSGSIZE):
            one.sendto(bytes(65_528), (pair.address_b, 53))
        with raises_errno(errno.EHOSTUNREACH):
            one.sendto(b"word", ("fe80::1", 53))
        with raises_errno(errno.ENOTCONN):
            one.getpeername()


def test_a_connected_one_hears_of_a_port_that_is_closed(pair: Threaded) -> None:
    with create_datagram_socket(pair.a, None, (pair.address_b, 53)) as one:
        one.settimeout(LIMIT)
        one.send(b"word")

        def again() -> None:
            while True:
                select.select([], [], [], 0.005)
                one.send(b"word")

        with pytest.raises(ConnectionRefusedError):
            again()


def test_a_reader_that_is_slow_bounds_what_waits_for_it(pair: Threaded) -> None:
    with create_datagram_socket(pair.a) as one, create_datagram_socket(pair.b, (pair.address_b, 53)) as other:
        other.setblocking(False)
        for _ in range(400):
            one.sendto(bytes(60_000), (pair.address_b, 53))
        got = 0
        with contextlib.suppress(BlockingIOError):
            while other.recv(65535):
                got += 1
        assert got < 400


def test_closing_it_closes_the_overlays(pair: Threaded) -> None:
    one = create_datagram_socket(pair.a, (None, 53))
    with raises_errno(errno.EADDRINUSE):
        create_datagram_socket(pair.a, (None, 53))
    one.close()

    pair.thread.run(until(lambda: not pair.a.stack.endpoints()), LIMIT)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        bind(pair.a, sock, (pair.address_a, 53))
        assert sock.getsockname()[:2] == (pair.address_a, 53)


def test_the_vtun_is_closed_under_it(pair: Threaded) -> None:
    with create_datagram_socket(pair.a) as one:
        one.settimeout(LIMIT)
        pair.thread.run(pair.a.close(grace=0))
        with pytest.raises(OSError, match="closed"):
            one.recv(10)


def test_what_precedes_a_datagram() -> None:
    assert source(HEADER.pack(socket.inet_pton(socket.AF_INET6, "200::1"), 53) + b"data") == ("200::1", 53, 0, 0)
