"""ygg.network.socks.exchange: messages over a connection that is held before and after."""

import asyncio
from collections.abc import Generator

import pytest

from tests.aio import on_loops, settle, until
from tests.proxy.ends import Peer, backend
from ygg.errors import ProxyError
from ygg.network.socks.exchange import run
from ygg.stream.held import HoldingProtocol, take_over


def counted() -> Generator[tuple[bytes, int], bytes, bytes]:
    (size,) = yield b"how long?", 1
    return (yield b"say it", size)


@on_loops
async def test_what_follows_is_kept() -> None:
    async with backend() as (port, served):
        transport, _ = await asyncio.get_running_loop().create_connection(HoldingProtocol, "127.0.0.1", port)
        await until(lambda: served)
        running = asyncio.create_task(run(transport, counted()))
        await until(lambda: served[0].data == b"how long?")
        served[0].transport.write(b"\5")
        await until(lambda: served[0].data == b"how long?say it")
        served[0].transport.write(b"helloand more")
        assert await running == b"hello"
        await settle()
        peer = Peer()
        take_over(transport, peer)
        await until(lambda: peer.data == b"and more")
        transport.abort()
        await peer.over


@on_loops
async def test_hanging_up() -> None:
    async with backend() as (port, served):
        transport, _ = await asyncio.get_running_loop().create_connection(HoldingProtocol, "127.0.0.1", port)
        await until(lambda: served)
        served[0].transport.close()
        with pytest.raises(ProxyError, match="gone"):
            await run(transport, counted(), hung_up="gone")
        transport.abort()
