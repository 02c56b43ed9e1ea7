"""ygg.sockets.listeners: stream sockets that listen on the overlay."""

import asyncio
import contextlib
import errno
import gc
import os
import resource
import select
import socket
import ssl

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from tests.integrations.answering import CLIENT, SERVER
from tests.sockets.threaded import LIMIT, Threaded
from ygg.sockets import create_connection, create_server
from ygg.sockets.create import bind, connect
from ygg_c.tcp.listener import TcpListener


def test_it_is_readable_when_a_connection_waits(pair: Threaded) -> None:
    with create_server(pair.b, (None, 80)) as server:
        assert server.getsockname() == ("::", 80, 0, 0)
        assert select.select([server], [], [], 0)[0] == []
        with create_connection(pair.a, (pair.address_b, 80), LIMIT) as one:
            assert select.select([server], [], [], LIMIT)[0] == [server]
            other, address = server.accept()
            with other:
                assert address == one.getsockname()
                assert other.getpeername() == address
                assert other.family == socket.AF_INET6


def test_accept_has_a_timeout(pair: Threaded) -> None:
    with create_server(pair.b, (pair.address_b, 80)) as server:
        server.settimeout(0.02)
        with pytest.raises(TimeoutError):
            server.accept()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_one_that_is_bound_refuses_until_it_listens(pair: Threaded) -> None:
    with socket.socket(socket.AF_INET6) as server:
        bind(pair.b, server, (pair.address_b, 0))
        port = server.getsockname()[1]
        assert port
        with pytest.raises(ConnectionRefusedError):
            create_connection(pair.a, (pair.address_b, port), LIMIT)
        server.listen(1)
        create_connection(pair.a, (pair.address_b, port), LIMIT).close()
        with raises_errno(errno.EINVAL):
            bind(pair.b, server, (pair.address_b, 0))


def test_a_bound_one_dials_from_there(pair: Threaded) -> None:
    with create_server(pair.b, (pair.address_b, 80)) as server, socket.socket(socket.AF_INET6) as sock:
        bind(pair.a, sock, (pair.address_a, 4000))
        connect(pair.a, sock, (pair.address_b, 80))
        assert sock.getsockname()[:2] == (pair.address_a, 4000)
        other, address = server.accept()
        other.close()
        assert address[1] == 4000


def test_more_than_the_backlog_wait_and_all_are_served(pair: Threaded) -> None:
    with create_server(pair.b, (pair.address_b, 80), backlog=1) as server, contextlib.ExitStack() as opened:
        server.settimeout(LIMIT)
        dialed = [
            opened.enter_context(create_connection(pair.a, (pair.address_b, 80), LIMIT)) for _ in range(12)
        ]
        names = {sock.getsockname() for sock in dialed}
        for _ in dialed:
            sock, address = server.accept()
            opened.enter_context(sock)
            names.remove(address)
        assert not names


def test_closing_it_frees_the_port(pair: Threaded) -> None:
    for _ in range(3):
        server = create_server(pair.b, (pair.address_b, 80))
        with raises_errno(errno.EADDRINUSE):
            create_server(pair.b, (pair.address_b, 80))
        server.close()
        pair.thread.call(lambda: None)
        with pytest.raises(ConnectionRefusedError):
            create_connection(pair.a, (pair.address_b, 80), LIMIT)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_so_does_forgetting_it(pair: Threaded) -> None:
    server = create_server(pair.b, (pair.address_b, 80))
    del server
    gc.collect()
    pair.thread.call(lambda: None)
    create_server(pair.b, (pair.address_b, 80)).close()


def test_a_descriptor_that_was_taken_over_frees_it_when_the_port_is_wanted(pair: Threaded) -> None:
    server = create_server(pair.b, (pair.address_b, 80))
    secured = SERVER.wrap_socket(server, server_side=True)
    del server
    gc.collect()
    with raises_errno(errno.EADDRINUSE):
        create_server(pair.b, (pair.address_b, 80))
    secured.close()
    create_server(pair.b, (pair.address_b, 80)).close()


def test_tls(pair: Threaded) -> None:
    with (
        SERVER.wrap_socket(create_server(pair.b, (pair.address_b, 80)), server_side=True,
                           do_handshake_on_connect=False) as server,
        create_connection(pair.a, (pair.address_b, 80), LIMIT) as dialed,
    ):
        accepted, _ = server.accept()
        with CLIENT.wrap_socket(dialed, do_handshake_on_connect=False) as one, accepted as other:
            one.setblocking(False)
            other.setblocking(False)
            left = [one, other]
            while left:
                for side in list(left):
                    with contextlib.suppress(ssl.SSLWantReadError):
                        side.do_handshake()
                        left.remove(side)
            one.sendall(b"word")
            assert select.select([other], [], [], LIMIT)[0]
            assert other.recv(10) == b"word"
    pair.thread.run(until(lambda: not any(isinstance(one, TcpListener) for one in pair.b.stack.endpoints())), LIMIT)


def test_a_child_process_accepts(pair: Threaded) -> None:
    with create_server(pair.b, (pair.address_b, 80)) as server:
        server.settimeout(LIMIT)
        child = os.fork()
        if not child:
            status = 1
            with contextlib.suppress(BaseException):
                sock, address = server.accept()
                sock.sendall(f"{address[0]} {sock.getpeername()[0]}".encode())
                sock.close()
                server.close()
                status = 0
            os._exit(status)
        with create_connection(pair.a, (pair.address_b, 80), LIMIT) as one:
            assert one.recv(200) == f"{pair.address_a} {pair.address_a}".encode()
            assert one.recv(200) == b""
        assert os.waitpid(child, 0)[1] == 0
        with create_connection(pair.a, (pair.address_b, 80), LIMIT) as one:     # the child has closed its own alone
            server.accept()[0].close()
            assert one.recv(10) == b""


def test_nothing_of_it_is_seen_in_the_file_system(pair: Threaded, tmp_path: os.PathLike[str], monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with create_server(pair.b, (pair.address_b, 80)):
        assert os.listdir(tmp_path) == []


def test_a_duplicate_goes_on_when_the_first_is_closed(pair: Threaded) -> None:
    server = create_server(pair.b, (pair.address_b, 80))
    with server.dup() as other:
        server.close()
        pair.thread.call(lambda: None)
        other.settimeout(LIMIT)
        with create_connection(pair.a, (pair.address_b, 80), LIMIT):
            other.accept()[0].close()
    create_server(pair.b, (pair.address_b, 80)).close()     # the port is free


def test_it_goes_on_once_there_are_descriptors_again(pair: Threaded) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with create_server(pair.b, (pair.address_b, 80)) as server, contextlib.ExitStack() as taken:
        server.settimeout(LIMIT)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        try:
            with contextlib.suppress(OSError):
                while True:
                    taken.callback(os.close, os.dup(0))
            _, writer = pair.thread.run(pair.a.open_connection(pair.address_b, 80), LIMIT)
            writer.write(b"word")
            pair.thread.run(asyncio.sleep(0.05))
        finally:
            taken.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(10) == b"word"
        pair.thread.call(writer.close)
        with create_connection(pair.a, (pair.address_b, 80), LIMIT):
            server.accept()[0].close()
