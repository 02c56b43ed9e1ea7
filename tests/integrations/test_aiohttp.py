"""ygg.integrations.aiohttp: sessions and sites over VTuns."""

import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web

from tests.integrations.answering import CLIENT, SERVER
from tests.integrations.table import shows
from ygg.integrations.aiohttp import OverlayConnector, OverlaySite


async def hello(request):
    return web.Response(text=f"{request.remote} {len(await request.read())}")


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data.upper())
    return socket


@contextlib.asynccontextmanager
async def serving(pair, path=None, tls=None):
    """Serve on a port of `pair.b`; yield it."""

    async def file(request):
        return web.FileResponse(path)

    app = web.Application(client_max_size=1 << 30)
    app.add_routes([web.post("/", hello), web.get("/ws", echo), web.get("/file", file)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = OverlaySite(runner, pair.b, port=0, ssl_context=tls)
    await site.start()
    assert site.name == f"http{'s' if tls else ''}://[{pair.address_b}]:{site.port}"
    try:
        yield site.port
    finally:
        await runner.cleanup()


@shows("aiohttp", "`ygg.integrations.aiohttp`", "client", "server", lines=1)
def test_requests_and_their_pool(with_pair):
    async def main(pair):
        async with serving(pair) as port, aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session:
            url = f"http://[{pair.address_b}]:{port}/"
            for _ in range(3):
                async with session.post(url, data=bytes(1_000_000)) as answer:
                    assert await answer.text() == f"{pair.address_a} 1000000"
            assert len([end for end in pair.a.stack.endpoints() if end.state == "ESTABLISHED"]) == 1

            async def ask():
                async with session.post(url) as answer:
                    return await answer.text()

            assert set(await asyncio.gather(*(ask() for _ in range(20)))) == {f"{pair.address_a} 0"}

    with_pair(main)


def test_websockets(with_pair):
    async def main(pair):
        async with (
            serving(pair) as port,
            aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session,
            session.ws_connect(f"http://[{pair.address_b}]:{port}/ws") as socket,
        ):
            await socket.send_str("word")
            assert await socket.receive_str() == "WORD"

    with_pair(main)


@shows("aiohttp", "`ygg.integrations.aiohttp`", "TLS", lines=1)
def test_tls(with_pair):
    async def main(pair):
        async with serving(pair, tls=SERVER) as port:
            url = f"https://[{pair.address_b}]:{port}/"
            async with (
                aiohttp.ClientSession(connector=OverlayConnector(pair.a, ssl=CLIENT)) as session,
                session.post(url) as answer,
            ):
                assert await answer.text() == f"{pair.address_a} 0"
            async with aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.post(url)

    with_pair(main)


def test_files(with_pair, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10_000)

    async def main(pair):
        async with (
            serving(pair, path) as port,
            aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session,
            session.get(f"http://[{pair.address_b}]:{port}/file") as answer,
        ):
            assert await answer.read() == path.read_bytes()

    with_pair(main)


def test_errors_are_aiohttps(with_pair):
    async def main(pair):
        async with aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"http://[{pair.address_b}]:9/")
            with pytest.raises(aiohttp.ClientConnectorDNSError):
                await session.get("http://a.name.example/")
            with pytest.raises(aiohttp.ConnectionTimeoutError):
                await session.get("http://[200:dddd::1]/", timeout=aiohttp.ClientTimeout(sock_connect=0.05))
        await asyncio.sleep(0)

    with_pair(main)
