"""ygg.network.native.listener: connections are accepted only when asked for."""

import asyncio
import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ListenerClosed, NetworkDown, YggError
from ygg.network import HoldingProtocol
from ygg.network.native import listener as module
from ygg.network.native.listener import NativeListener, UnixListener


class Listening:
    """A socket that listens, and the listener of it."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self.sock = sock or socket.create_server(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.admitted: list[asyncio.BaseTransport] = []
        self.listener = NativeListener(self.sock, self.admitted.append)

    def dial(self) -> socket.socket:
        return socket.create_connection(self.sock.getsockname())


@on_loops
async def test_connections_wait_until_they_are_asked_for() -> None:
    at = Listening()
    with at.dial() as first, at.dial():
        assert at.admitted == []
        transport, remote = await at.listener.accept()
        assert remote == f"127.0.0.1:{first.getsockname()[1]}"
        assert isinstance(transport.get_protocol(), HoldingProtocol)
        assert at.admitted == [transport]
        at.listener.close()
        transport.abort()
        await settle()


@on_loops
async def test_several_wait_and_each_gets_one() -> None:
    at = Listening()
    waiting = [asyncio.ensure_future(at.listener.accept()) for _ in range(3)]
    await settle()
    with at.dial(), at.dial(), at.dial():
        done = await asyncio.gather(*waiting)
        assert len({remote for _, remote in done}) == 3
        for transport, _ in done:
            transport.abort()
    at.listener.close()
    await settle()


@on_loops
async def test_a_cancelled_call_takes_no_connection_and_ends_no_other() -> None:
    at = Listening()
    cancelled, other = (asyncio.ensure_future(at.listener.accept()) for _ in range(2))
    await settle()
    cancelled.cancel()
    await settle()
    with at.dial():
        transport, _ = await other
        assert cancelled.cancelled()
        transport.abort()
    last = asyncio.ensure_future(at.listener.accept())
    await settle()
    last.cancel()
    await settle()
    at.listener.close()
    await settle()


@on_loops
async def test_its_end_is_told_to_all_that_wait_and_all_that_ask_later() -> None:
    at = Listening()
    waiting = [asyncio.ensure_future(at.listener.accept()) for _ in range(2)]
    closed = asyncio.ensure_future(at.listener.wait_closed())
    await settle()
    assert not at.listener.is_closing()
    at.listener.close()
    at.listener.close()
    assert at.listener.is_closing()
    for one in waiting:
        with pytest.raises(ListenerClosed):
            await one
    with pytest.raises(ListenerClosed):
        await at.listener.accept()
    await closed
    assert at.sock.fileno() == -1
    assert at.listener.address.startswith("127.0.0.1:")


@on_loops
async def test_a_connection_that_is_not_admitted_is_its_callers_error() -> None:
    at = Listening()

    def refuse(transport: asyncio.BaseTransport) -> None:
        transport.abort()   # type: ignore[attr-defined]
        raise NetworkDown

    strict = NativeListener(at.sock, refuse)
    with at.dial():
        with pytest.raises(NetworkDown):
            await strict.accept()
        await settle()
    strict.close()


class Failing(socket.socket):
    """A listening socket whose accept() fails with the errors that it is given, one after the other."""

    errors: list[int]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            code = self.errors.pop(0)
            raise OSError(code, os.strerror(code))
        return super().accept()


def failing(*errors: int) -> Listening:
    plain = socket.create_server(("127.0.0.1", 0))
    sock = Failing(fileno=plain.detach())
    sock.errors = list(errors)
    return Listening(sock)


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.EPROTO, errno.EINTR, errno.EMFILE, errno.ENOBUFS])
@on_loops
async def test_what_is_over_soon_is_borne(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCEPT_RETRY", 0.001)
    at = failing(code, code)
    with at.dial():
        transport, _ = await at.listener.accept()
        transport.abort()
        await settle()
    at.listener.close()


@on_loops
async def test_what_is_not_over_soon_is_raised() -> None:
    at = failing(errno.EINVAL)
    with pytest.raises(YggError) as caught:
        await at.listener.accept()
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.EINVAL
    at.listener.close()


def on_path(path: Path) -> UnixListener:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen()
    sock.setblocking(False)
    return UnixListener(sock, lambda transport: None, str(path))


@on_loops
async def test_clients_of_a_path_are_numbered_and_its_end_removes_it(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listener = on_path(path)
    assert listener.address == str(path)
    for number in (1, 2):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            transport, remote = await listener.accept()
            assert remote == f"{path}#{number}"
            transport.abort()
            await settle()
    listener.close()
    assert not path.exists()
    listener.close()


@on_loops
async def test_a_path_that_is_anothers_by_now_stays(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    old = on_path(path)
    path.unlink()
    new = on_path(path)
    old.close()
    assert path.exists()
    new.close()
    assert not path.exists()
    gone = on_path(path)
    path.unlink()
    gone.close()
