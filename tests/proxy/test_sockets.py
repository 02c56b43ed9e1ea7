"""ygg.proxy.sockets: both kinds of connection are reset, probed and told apart alike."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, backend, client
from tests.vtunpair import ADDRESS_B, joined
from ygg.proxy import Keepalive
from ygg.proxy.sockets import keep_alive, pause, reset, resume, source_of, told_by


class Named:
    """Something that has names."""

    def __init__(self, **names: Any) -> None:
        self.get_extra_info = names.get


@pytest.mark.parametrize(("peer", "key", "source"), [
    (("200:1:2:3:4:5:6:7", 1, 0, 0), b"k" * 32, b"k" * 32),
    (("300:1:2:3:4:5:6:7", 1, 0, 0), None, 0x0300000100020003),
    (("127.0.0.1", 1), None, None),
    (("::1", 1, 0, 0), None, None),
    ("", None, None),
    (None, None, None),
])
def test_sources(peer: Any, key: bytes | None, source: Any) -> None:
    assert source_of(Named(peername=peer, public_key=key)) == source  # type: ignore[arg-type]


@on_loops
async def test_a_connection_that_has_ended_says_nothing_and_raises_nothing() -> None:
    """uvloop's raise then."""
    async with backend() as (port, _):
        peer = await client(port)
        peer.transport.abort()
        await peer.over
        assert told_by(peer.transport, "peername") in (None, ("127.0.0.1", port))


def test_hosts_are_told_apart_by_their_address_or_64() -> None:
    one, same, other = (source_of(Named(peername=(host, 1, 0, 0)))  # type: ignore[arg-type]
                        for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"))
    assert one == same != other
    assert source_of(Named(peername=("192.0.2.1", 1))) != source_of(Named(peername=("192.0.2.2", 1)))  # type: ignore[arg-type]


@on_loops
async def test_on_this_machine() -> None:
    async with backend() as (port, served):
        near = await client(port)
        await until(lambda: served)
        keep_alive(near.transport, Keepalive(30, 5, 3))
        sock = near.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        keep_alive(near.transport, None)
        pause(near.transport)
        resume(near.transport)
        reset(near.transport)
        pause(near.transport)
        resume(near.transport)
        reset(near.transport)
        with pytest.raises(ConnectionResetError):
            await served[0].lost()


@on_loops
async def test_on_the_overlay() -> None:
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        near = await client(port, pair.a, ADDRESS_B)
        await until(lambda: served)
        keep_alive(near.transport, Keepalive(30, 5, 3))
        options = near.transport.get_extra_info("options")
        assert (options.keepalive, options.keepalive_idle, options.keepalive_count) == (True, 30, 3)
        reset(near.transport)
        with pytest.raises(ConnectionResetError):
            await served[0].lost()


@on_loops
async def test_a_unix_socket_has_no_resets(tmp_path: Path) -> None:
    loop, path = asyncio.get_running_loop(), str(tmp_path / "served")
    served = Peer()
    server = await loop.create_unix_server(lambda: served, path)
    _, near = await loop.create_unix_connection(Peer, path)
    await until(lambda: served.transport)
    keep_alive(near.transport, Keepalive())
    reset(near.transport)
    await until(lambda: served.eof)
    server.close()
    served.transport.abort()
    await served.over
