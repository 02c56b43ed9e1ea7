"""Libraries that know nothing of ygg, inside `routed()`: each as its own manual has it."""

import asyncio
import shutil
import subprocess

import aiohttp
import aiosmtplib
import anyio
import asyncpg
import asyncssh
import httpx
import nio
import pytest
import redis.asyncio
import uvicorn
import websockets
from aiohttp import web
from aiosmtpd.smtp import SMTP

from tests.aio import until
from tests.integrations import database, matrix
from tests.integrations.answering import CLIENT, SERVER, app, forwarded
from tests.integrations.table import shows
from ygg.identity.certificate import Certificate
from ygg.integrations.aiohttp import OverlayConnector
from ygg.integrations.routed import routed

ROUTED = "`routed()`"


@shows("websockets", ROUTED, "client", "server", "TLS", lines=1)
def test_websockets(with_pair):
    async def echo(socket):
        async for message in socket:
            await socket.send(message.upper())

    async def main(pair):
        with routed(pair.a), routed(pair.b):
            async with (
                websockets.serve(echo, pair.address_b, 80),
                websockets.serve(echo, pair.address_b, 443, ssl=SERVER),
                websockets.connect(f"ws://[{pair.address_b}]/", proxy=None) as plain,
                websockets.connect(f"wss://[{pair.address_b}]/", proxy=None, ssl=CLIENT) as secured,
            ):
                for socket in (plain, secured):
                    await socket.send("word")
                    assert await socket.recv() == "WORD"

    with_pair(main)


@shows("aiohttp", ROUTED, "client", "server", "TLS", lines=1)
def test_aiohttp(with_pair):
    async def hello(request):
        return web.Response(text=f"hello {request.remote}")

    async def main(pair):
        site_app = web.Application()
        site_app.add_routes([web.get("/", hello)])
        runner = web.AppRunner(site_app)
        await runner.setup()
        with routed(pair.b):
            await web.TCPSite(runner, pair.address_b, 80).start()
            await web.TCPSite(runner, pair.address_b, 443, ssl_context=SERVER).start()
        with routed(pair.a):
            async with aiohttp.ClientSession() as session:
                for scheme in ("http", "https"):
                    async with session.get(f"{scheme}://[{pair.address_b}]/", ssl=CLIENT) as answer:
                        assert await answer.text() == f"hello {pair.address_a}"
        await runner.cleanup()

    with_pair(main)


@shows("httpx", ROUTED, "client", "TLS", lines=1)
@shows("uvicorn", ROUTED, "server", "TLS", lines=1)
def test_httpx_and_uvicorn(with_pair, tmp_path):
    async def main(pair):
        servers = []
        with routed(pair.b):
            for port, tls in ((80, None), (443, SERVER)):
                config = uvicorn.Config(app, host=pair.address_b, port=port, log_config=None)
                config.load()
                config.ssl = tls
                server = uvicorn.Server(config)
                server.lifespan = config.lifespan_class(config)
                await server.startup()
                servers.append(server)
        with routed(pair.a):
            async with httpx.AsyncClient(verify=CLIENT) as http:
                for scheme in ("http", "https"):
                    answer = await http.get(f"{scheme}://[{pair.address_b}]/x")
                    assert answer.text == f"{pair.address_a} 1.1 /x 0"
        for server in servers:
            await server.shutdown()

    with_pair(main)


@shows("hypercorn", ROUTED, "server", "TLS", lines=1)
def test_hypercorn(with_pair, tmp_path):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    async def main(pair):
        stop = asyncio.Event()
        plain, secured = Config(), Config()
        plain.bind, secured.bind = [f"[{pair.address_b}]:80"], [f"[{pair.address_b}]:443"]
        made = Certificate.generate()
        for name, text in (("certfile", made.certificate_pem), ("keyfile", made.private_key_pem)):
            (tmp_path / name).write_bytes(text)
            setattr(secured, name, str(tmp_path / name))
        with routed(pair.b):
            serving = [asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
                       for config in (plain, secured)]
            await until(lambda: len(pair.b.stack.endpoints()) == 2)
            async with aiohttp.ClientSession(connector=OverlayConnector(pair.a)) as session:
                for scheme in ("http", "https"):
                    async with session.get(f"{scheme}://[{pair.address_b}]/x", ssl=CLIENT) as answer:
                        assert await answer.text() == f"{pair.address_a} 1.1 /x 0"
            stop.set()
            await asyncio.gather(*serving)

    with_pair(main)


@shows("anyio", ROUTED, "client", "TLS", lines=1)
def test_anyio(with_pair):
    async def echo(reader, writer):
        writer.write((await reader.read(100)).upper())
        writer.close()

    async def main(pair):
        async with await pair.b.start_server(echo, port=80), await pair.b.start_server(echo, port=443, ssl=SERVER):
            with routed(pair.a):
                for dial in (anyio.connect_tcp(pair.address_b, 80),
                             anyio.connect_tcp(pair.address_b, 443, tls=True, ssl_context=CLIENT)):
                    async with await dial as stream:
                        await stream.send(b"word")
                        assert await stream.receive() == b"WORD"

    with_pair(main)


@shows("asyncssh", ROUTED, "client", "server", lines=1)
def test_asyncssh(with_pair):
    class Open(asyncssh.SSHServer):
        def begin_auth(self, username):
            return False

    async def shout(process):
        process.stdout.write((await process.stdin.read()).upper())
        process.exit(0)

    async def main(pair):
        key = asyncssh.generate_private_key("ssh-ed25519")
        with routed(pair.a), routed(pair.b):
            async with (
                asyncssh.listen(pair.address_b, 22, server_factory=Open, server_host_keys=[key], process_factory=shout),
                asyncssh.connect(pair.address_b, known_hosts=None, client_keys=None, config=None) as ssh,
            ):
                assert (await ssh.run("anything", input="word")).stdout == "WORD"
            await ssh.wait_closed()

    with_pair(main)


@shows("matrix-nio", ROUTED, "client", lines=1)
@shows("matrix-nio", "`ygg.integrations.aiohttp`", "client", lines=1)
@pytest.mark.parametrize("way", ["routed", "session"])
def test_matrix_nio(with_pair, way):
    async def main(pair):
        async with matrix.homeserver(pair.b, 8008):
            client = nio.AsyncClient(f"http://[{pair.address_b}]:8008", "@one:example")
            with routed(pair.a if way == "routed" else pair.b):
                if way == "session":
                    client.client_session = aiohttp.ClientSession(connector=OverlayConnector(pair.a))
                assert isinstance(await client.login("secret"), nio.LoginResponse)
                sent = await client.room_send("!room:example", "m.room.message", {"msgtype": "m.text", "body": "word"})
                assert isinstance(sent, nio.RoomSendResponse)
                answer = await client.sync(timeout=30000)
                (event,) = answer.rooms.join["!room:example"].timeline.events
                assert event.body == "word"
                await client.close()

    with_pair(main)


class Mailbox:
    """Keeps what is sent."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return "250 OK"


@shows("aiosmtplib", ROUTED, "client", "TLS", lines=1)
def test_aiosmtplib(with_pair):
    async def main(pair):
        box = Mailbox()
        with routed(pair.b):
            server = await asyncio.get_running_loop().create_server(
                lambda: SMTP(box, tls_context=SERVER, hostname="one.example"), pair.address_b, 25)
        with routed(pair.a):
            for start_tls in (False, True):
                await aiosmtplib.send(
                    "Subject: x\r\n\r\nword\r\n", hostname=pair.address_b, port=25, sender="a@example",
                    recipients=["b@example"], start_tls=start_tls, tls_context=CLIENT)
        assert [mail.rcpt_tos for mail in box.mails] == [["b@example"]] * 2
        server.close()

    with_pair(main)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """Run Redis; return the path of its UNIX socket."""
    program = shutil.which("redis-server") or pytest.skip("no redis-server here")
    folder = tmp_path_factory.mktemp("redis")
    path = folder / "socket"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert any("ready to accept" in line.lower() for line in process.stdout)
        yield path
        process.terminate()
        process.stdout.read()


@shows("redis", ROUTED, "client", lines=1)
def test_redis(with_pair, redis_server):
    async def main(pair):
        async with forwarded(pair.b, 6379, str(redis_server)):
            with routed(pair.a):
                client = redis.asyncio.Redis(host=pair.address_b)
                await client.set("key", b"x" * 1_000_000)
                assert await client.get("key") == b"x" * 1_000_000
                async with client.pubsub() as channel:
                    await channel.subscribe("news")
                    await channel.get_message(timeout=30)
                    await client.publish("news", "word")
                    assert (await channel.get_message(timeout=30))["data"] == b"word"
                await client.aclose()

    with_pair(main)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """Run PostgreSQL; return the path of its UNIX socket."""
    with database.running(tmp_path_factory.mktemp("postgres")) as path:
        yield path


@shows("asyncpg", ROUTED, "client", lines=1)
def test_asyncpg(with_pair, postgres):
    async def main(pair):
        async with forwarded(pair.b, 5432, str(postgres)):
            with routed(pair.a):
                connection = await asyncpg.connect(host=pair.address_b, user="postgres", database="postgres", ssl=False)
                assert await connection.fetchval("select repeat('x', 1000000)") == "x" * 1_000_000
                await connection.close()

    with_pair(main)
