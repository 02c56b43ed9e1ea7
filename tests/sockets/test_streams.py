"""ygg.sockets.streams: stream sockets that are connected on the overlay."""

import asyncio
import concurrent.futures
import contextlib
import errno
import os
import select
import socket
import struct
import threading
from pathlib import Path

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from tests.sockets.threaded import LIMIT, Threaded, connected, threaded
from ygg.sockets import bridge, calls, create_connection, create_server
from ygg.sockets.create import connect
from ygg.sockets.standing import what
from ygg.sockets.streams import Connection
from ygg_c.base import forks

RESET = struct.pack("ii", 1, 0)


def test_bytes_both_ways_and_half_closed(pair: Threaded) -> None:
    data = os.urandom(3_000_000)
    with connected(pair) as (one, other):
        sending = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
        sending.start()
        got = bytearray()
        while part := other.recv(1 << 16):
            got += part
        sending.join()
        assert got == data
        other.sendall(b"after the end")
        other.close()
        assert one.recv(100) == b"after the end"
        assert one.recv(100) == b""


def test_the_names_are_the_overlays(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        assert one.getsockname()[0] == pair.address_a
        assert one.getpeername()[0] == pair.address_b
        assert one.getsockname() == other.getpeername()
        assert other.getsockname() == one.getpeername()
        with one.dup() as again:
            assert again.getpeername() == one.getpeername()


def test_a_reset_is_an_error_on_the_other_side(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        other.close()
        with pytest.raises(ConnectionResetError):
            one.recv(10)
        assert one.recv(10) == b""      # as a kernel's: it is told once


def test_the_descriptor_by_itself_tells_a_reset_too(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        other.sendall(b"word")
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.setblocking(True)
        assert os.read(one.fileno(), 4) == b"word"
        other.close()
        with pytest.raises(ConnectionResetError):
            os.read(one.fileno(), 4)


def test_closing_with_bytes_unread_resets(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        one.sendall(b"not read")
        assert select.select([other], [], [], LIMIT)[0]
        other.close()
        with pytest.raises(ConnectionResetError):
            one.recv(10)


def test_a_reader_that_is_slow_holds_the_writer_back(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        one.setblocking(False)
        sent, idle = 0, 0
        while idle < 20:
            if not select.select([], [one], [], 0.05)[1]:
                idle += 1
                continue
            idle = 0
            with contextlib.suppress(BlockingIOError):
                sent += one.send(bytes(1 << 16))
        assert sent < 64 << 20
        while sent:
            sent -= len(other.recv(min(sent, 1 << 20)))


def test_timeouts(pair: Threaded) -> None:
    with connected(pair) as (one, _):
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.recv(1)
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(1)


def test_a_dial_has_the_sockets_timeout(pair: Threaded) -> None:
    with pytest.raises(TimeoutError):
        create_connection(pair.a, ("200:cccc::1", 80), 0.1)


def test_a_dial_that_is_refused(pair: Threaded) -> None:
    with pytest.raises(ConnectionRefusedError):
        create_connection(pair.a, (pair.address_b, 80), LIMIT)


@pytest.mark.parametrize("refused", [False, True])
def test_a_dial_that_does_not_block(pair: Threaded, refused: bool) -> None:
    with create_server(pair.b, (pair.address_b, 0)) as server, socket.socket(socket.AF_INET6) as sock:
        port = server.getsockname()[1]
        if refused:
            server.close()
        sock.setblocking(False)
        with raises_errno(errno.EINPROGRESS):
            connect(pair.a, sock, (pair.address_b, port))
        epoll = select.epoll()
        epoll.register(sock, select.EPOLLOUT)
        assert epoll.poll(LIMIT)
        epoll.close()
        expected = errno.ECONNREFUSED if refused else 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == expected
        if not refused:
            sock.send(b"word")
            accepted, _ = server.accept()
            with accepted:
                assert accepted.recv(10) == b"word"
            with raises_errno(errno.EISCONN):
                connect(pair.a, sock, (pair.address_b, port))


def test_one_that_is_made_is_neither_written_nor_dialed_again(pair: Threaded) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.setblocking(False)
        with raises_errno(errno.EINPROGRESS):
            connect(pair.a, sock, ("200:cccc::1", 80))
        assert select.select([], [sock], [], 0.02)[1] == []
        with raises_errno(errno.EAGAIN):
            sock.send(b"word")
        with raises_errno(errno.EALREADY):
            connect(pair.a, sock, ("200:cccc::1", 80))
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_options_set_before_and_after_are_the_connections(pair: Threaded) -> None:
    with create_server(pair.b, (pair.address_b, 0)) as server, socket.socket(socket.AF_INET6) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
        connect(pair.a, sock, server.getsockname()[:2])
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM


def test_files_are_made_and_sent(pair: Threaded, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 100)
    with connected(pair) as (one, other):
        with path.open("rb") as file:
            assert one.sendfile(file) == 25_600
        with other.makefile("rb") as reading:
            assert reading.read(25_600) == path.read_bytes()
        with one.makefile("wb") as writing, other.makefile("rb") as reading:
            writing.write(b"line\n")
            writing.flush()
            assert reading.readline() == b"line\n"


def test_a_detached_descriptor_is_the_connection_still(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        number = one.detach()
        assert one.fileno() == -1
        os.write(number, b"word")
        assert other.recv(10) == b"word"
        os.close(number)
        assert other.recv(10) == b""


def test_a_file_keeps_a_closed_socket_open(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        writing = one.makefile("wb")
        one.close()
        writing.write(b"word")
        writing.close()
        assert other.recv(10) == b"word"
        assert other.recv(10) == b""


def test_the_vtun_is_closed_under_it(pair: Threaded) -> None:
    with connected(pair) as (one, other):
        pair.thread.run(pair.a.close(grace=0))
        with pytest.raises(ConnectionAbortedError):
            one.recv(10)
        with raises_errno(errno.EPIPE):
            one.send(b"word")
        with contextlib.suppress(ConnectionResetError):
            assert other.recv(10) == b""


def test_one_that_reads_no_more_writes_on(pair: Threaded, monkeypatch: pytest.MonkeyPatch) -> None:
    come = threading.Event()
    received = bridge.Bridge.data_received

    def data_received(self: bridge.Bridge, data: bytes) -> None:
        received(self, data)
        come.set()

    monkeypatch.setattr(bridge.Bridge, "data_received", data_received)
    with connected(pair) as (one, other):
        one.shutdown(socket.SHUT_RD)
        other.sendall(b"word")
        assert come.wait(LIMIT)
        one.sendall(b"word")
        assert other.recv(10) == b"word"


@pytest.mark.parametrize("ended", [False, True])
def test_what_was_closed_is_given_up_though_the_peer_neither_reads_nor_ends(
    pair: Threaded, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "LOOK", 0.01)
    with connected(pair) as (one, other):
        if ended:
            other.shutdown(socket.SHUT_WR)
            assert one.recv(10) == b""
        else:
            other.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    other.sendall(bytes(1 << 20))
        found = what(other)
        assert isinstance(found, Connection)
        carrying = found.bridge
        assert carrying is not None
        other.close()
        pair.thread.run(until(lambda: carrying.is_closed), LIMIT)


def test_a_slow_reader_is_told_when_the_vtun_is_closed() -> None:
    with threaded() as pair, create_server(pair.b, (pair.address_b, 0)) as server:
        one = create_connection(pair.a, server.getsockname()[:2], LIMIT)
        server.settimeout(LIMIT)
        other, _ = server.accept()
        one.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                one.sendall(bytes(1 << 20))
    other.settimeout(LIMIT)
    with one, other, pytest.raises(ConnectionAbortedError):
        _read_all(other)


def _read_all(sock: socket.socket) -> None:
    while sock.recv(1 << 20):
        pass


def test_a_dial_that_is_given_up_at_once_leaves_nothing_to_be_cut_in_a_child(pair: Threaded) -> None:
    before = forks.registered()
    with create_server(pair.b, (pair.address_b, 0)) as server:
        for _ in range(20):
            sock = socket.socket(socket.AF_INET6)
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                connect(pair.a, sock, server.getsockname()[:2])
            sock.close()
        pair.thread.run(asyncio.sleep(0.1))
    pair.thread.run(until(lambda: forks.registered() <= before), LIMIT)


class Interrupted(Exception):
    """As Ctrl-C, which would end pytest."""


def test_a_blocking_dial_that_a_signal_ends(pair: Threaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object, future: "concurrent.futures.Future[None]") -> None:
        future.cancel()
        raise Interrupted

    before = forks.registered()
    with create_server(pair.b, (pair.address_b, 0)) as server:
        monkeypatch.setattr(calls, "wait", interrupted)
        for _ in range(20):
            with pytest.raises(Interrupted):
                create_connection(pair.a, server.getsockname()[:2], LIMIT)
        pair.thread.run(asyncio.sleep(0.1))
    pair.thread.run(until(lambda: forks.registered() <= before), LIMIT)
