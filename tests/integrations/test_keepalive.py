"""ygg.integrations.keepalive: how soon each server finds out that a client is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import asyncssh
import pytest
from aiohttp import web

from tests.aio import until
from ygg.integrations import aiohttp, asgi, hypercorn, websockets
from ygg.integrations.anyio import create_tcp_listener
from ygg.integrations.asyncssh import Tunnel
from ygg.integrations.keepalive import COUNT, IDLE, INTERVAL
from ygg.integrations.routed import listening_socket, routed
from ygg.vtun import VTun
from ygg_c.tcp.connection import TcpConnection

Serving = Callable[[VTun], AbstractAsyncContextManager[Any]]

SECOND = 10**9


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Take part in the lifespan; no request ever comes."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def listen_to(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        await reader.read()


@asynccontextmanager
async def by_aiohttp(vtun: VTun) -> AsyncIterator[None]:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await aiohttp.OverlaySite(runner, vtun, port=80).start()
    yield
    await runner.cleanup()


def by_uvicorn(vtun: VTun) -> AbstractAsyncContextManager[Any]:
    return asgi.serve(app, vtun)


def by_hypercorn(vtun: VTun) -> AbstractAsyncContextManager[Any]:
    return hypercorn.serve(app, vtun)


def by_websockets(vtun: VTun) -> Any:
    async def handler(_: Any) -> None:
        """Say nothing."""

    return websockets.serve(vtun, handler)


@asynccontextmanager
async def by_asyncssh(vtun: VTun) -> AsyncIterator[None]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with asyncssh.listen("", 80, tunnel=Tunnel(vtun), server_host_keys=[key]):
        yield


@asynccontextmanager
async def by_anyio(vtun: VTun) -> AsyncIterator[None]:
    async def handler(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            async for _ in stream:
                """Nothing comes."""

    async with await create_tcp_listener(vtun, local_port=80) as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handler)
        yield
        group.cancel_scope.cancel()


@asynccontextmanager
async def by_routed(vtun: VTun) -> AsyncIterator[None]:
    with routed(vtun):
        server = await asyncio.start_server(listen_to, str(vtun.addresses[0]), 80)
    yield
    server.close()


@asynccontextmanager
async def by_a_socket(vtun: VTun) -> AsyncIterator[None]:
    with routed(vtun):
        server = await asyncio.start_server(listen_to, sock=listening_socket(vtun, port=80))
    yield
    server.close()


def times(vtun: VTun) -> list[Any]:
    """Return the keepalive of each connection that there is."""
    return [one.keepalive for one in vtun.stack.endpoints() if isinstance(one, TcpConnection)]


WAYS = [by_aiohttp, by_uvicorn, by_hypercorn, by_websockets, by_asyncssh, by_anyio, by_routed, by_a_socket]


@pytest.mark.parametrize("serving", WAYS)
def test_what_a_server_accepts_is_probed_after_a_minute(with_pair: Any, serving: Serving) -> None:
    async def main(pair: Any) -> None:
        async with serving(pair.b):
            _, writer = await pair.a.open_connection(pair.address_b, 80)
            await until(lambda: times(pair.b))
            assert times(pair.b) == [(IDLE * SECOND, INTERVAL * SECOND, COUNT)]
            writer.transport.abort()
            await until(lambda: not times(pair.b))

    with_pair(main)


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({"keepalive": False}, None),
        ({"keepalive_idle": 5, "keepalive_count": 2}, (5 * SECOND, INTERVAL * SECOND, 2)),
        ({"keepalive_idle": 7200, "keepalive_interval": 75}, (IDLE * SECOND, INTERVAL * SECOND, COUNT)),
    ],
    ids=["off", "sooner", "later"],
)
def test_a_vtun_that_has_it_otherwise(with_pair: Any, own: dict[str, Any], found: Any) -> None:
    """Off is off, and what is sooner stays so."""
    async def main(pair: Any) -> None:
        pair.b.options.update(own)
        async with by_routed(pair.b):
            _, writer = await pair.a.open_connection(pair.address_b, 80)
            await until(lambda: times(pair.b))
            assert times(pair.b) == [found]
            writer.transport.abort()
            await until(lambda: not times(pair.b))

    with_pair(main)
