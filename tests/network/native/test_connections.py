"""ygg.network.native.connections: sockets that connect, and the held transports made of them."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ConnectionRefused, ConnectTimeout, NetworkError, YggError
from ygg.network import HoldingProtocol
from ygg.network.native.connections import adopt, connect, error_at


def listening(backlog: int = 5) -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    sock.setblocking(False)
    return sock


def dialing(family: int = socket.AF_INET) -> socket.socket:
    sock = socket.socket(family)
    sock.setblocking(False)
    return sock


@on_loops
async def test_a_connection_is_held_and_sends_small_pieces_at_once() -> None:
    with listening() as server:
        transport = await connect(dialing(), server.getsockname(), 5)
        assert isinstance(transport.get_protocol(), HoldingProtocol)
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.abort()
        await settle()


@on_loops
async def test_one_that_is_refused_is_closed_and_its_address_named() -> None:
    with listening() as server:
        address = server.getsockname()
    sock = dialing()
    with pytest.raises(ConnectionRefused, match=rf"^127\.0\.0\.1:{address[1]}: connection refused$"):
        await connect(sock, address, 5)
    assert sock.fileno() == -1


@on_loops
async def test_one_that_is_not_answered_is_closed_in_time() -> None:
    with listening(0) as server:
        first = await connect(dialing(), server.getsockname(), 5)
        sock = dialing()
        with pytest.raises(ConnectTimeout, match="connection timed out"):
            await connect(sock, server.getsockname(), 0.02)
        assert sock.fileno() == -1
        first.abort()
        await settle()


@on_loops
async def test_one_that_is_cancelled_is_closed() -> None:
    with listening(0) as server:
        first = await connect(dialing(), server.getsockname(), 5)
        sock = dialing()
        dial = asyncio.ensure_future(connect(sock, server.getsockname(), 5))
        await settle()
        dial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dial
        assert sock.fileno() == -1
        first.abort()
        await settle()


@on_loops
async def test_a_path_whose_backlog_is_full_is_asked_again(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(0)
        first = await connect(dialing(socket.AF_UNIX), path, 5)
        second = asyncio.ensure_future(connect(dialing(socket.AF_UNIX), path, 5))
        await asyncio.sleep(0.05)
        assert not second.done()
        server.accept()[0].close()
        (await second).abort()
        first.abort()
        await settle()
        with pytest.raises(ConnectTimeout, match="socket: connection timed out"):
            await connect(dialing(socket.AF_UNIX), path, 0.0)


@on_loops
async def test_a_path_where_nothing_listens_is_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"absent: no such file") as caught:
        await connect(dialing(socket.AF_UNIX), str(tmp_path / "absent"), 5)
    assert caught.value.errno == errno.ENOENT


@on_loops
async def test_what_cannot_be_adopted_is_closed() -> None:
    near, far = socket.socketpair(socket.AF_UNIX)
    with far:
        transport = await adopt(near)
        assert isinstance(transport.get_protocol(), HoldingProtocol)
        transport.abort()
        await settle()
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with pytest.raises(OSError, match=r"not supported|not available"):
        await adopt(datagram)
    assert datagram.fileno() == -1


@pytest.mark.parametrize(("error", "text", "code"), [
    (TimeoutError(), "a:1: connection timed out", errno.ETIMEDOUT),
    (OSError(errno.EHOSTUNREACH, "whatever"), f"a:1: {os.strerror(errno.EHOSTUNREACH).lower()}", errno.EHOSTUNREACH),
    (ConnectionRefusedError(errno.ECONNREFUSED, ""), "a:1: connection refused", errno.ECONNREFUSED),
])
def test_errors_name_where_they_were_met(error: OSError, text: str, code: int) -> None:
    made = error_at("a:1", error)
    assert isinstance(made, YggError)
    assert (str(made), made.errno) == (text, code)


def test_what_has_no_number_keeps_its_words() -> None:
    assert "a:1: says it in words" in str(error_at("a:1", OSError("says it in words")))
