"""ygg.transport.redirect: where a web server sends a WebSocket's dial, and where it may not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

pytest.importorskip("websockets")

from tests.aio import on_loops
from ygg.errors import BlockedHostError, LinkError
from ygg.identity.certificate import Certificate
from ygg.network import Listener, LoopbackNetwork
from ygg.network.streams import serving
from ygg.transport import TransportManager
from ygg.transport.redirect import MOST, Redirected, Route, target_of
from ygg.transport.ws import WSTransport
from ygg.url import PeerURL

CERTIFICATE = Certificate.generate()


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("ws://a.example:80", "ws://b.example/x", "ws://b.example:80/x"),
        ("ws://a.example:80", "http://b.example:8080", "ws://b.example:8080/"),
        ("ws://a.example:80", "HTTPS://B.example/x?y=1&z", "wss://b.example:443/x?y=1&z="),
        ("ws://a.example:80", "wss://b.example", "wss://b.example:443/"),
        ("wss://a.example:444/old/path?token=1", "/new", "wss://a.example:444/new"),
        ("wss://a.example:444/old/path", "new?q=2#part", "wss://a.example:444/old/new?q=2"),
        ("ws://a.example:81/x?token=1", "", "ws://a.example:81/x"),
        ("ws://a.example:81", "//b.example:82/x", "ws://b.example:82/x"),
        ("ws://me:secret@a.example:81", "/x", "ws://a.example:81/x"),
        ("ws://me:secret@a.example:81", "ws://you:other@b.example:82", "ws://b.example:82/"),
        ("ws://a.example:81?password=hidden&key=" + 64 * "a", "ws://b.example:82", "ws://b.example:82/"),
        ("wss://a.example:1?sni=n.example", "/x", "wss://a.example:1/x?sni=n.example"),
        ("wss://A.example:1?sni=n.example", "wss://a.example/x", "wss://A.example:443/x?sni=n.example"),
        ("wss://a.example:1?sni=n.example", "wss://b.example/x?sni=evil", "wss://b.example:443/x"),
        ("ws://a.example:1?keepalive=50s", "ws://b.example?keepalive=1s", "ws://b.example:80/?keepalive=50s"),
        ("ws://[2001:db8::1]:1", "/x", "ws://[2001:db8::1]:1/x"),
        ("ws://[fe80::1%25eth0]:1", "/x", "ws://[fe80::1%25eth0]:1/x"),
        ("ws://127.0.0.1:1", "ws://localhost:2", "ws://localhost:2/"),
    ],
)
def test_where_a_redirect_leads(url: str, location: str, target: str) -> None:
    assert str(target_of(PeerURL.parse(url), location)) == target


@pytest.mark.parametrize(
    ("url", "location", "reason"),
    [
        ("wss://a.example:1", "ws://a.example:1", "from wss to ws"),
        ("wss://a.example:1", "http://a.example:1", "from wss to ws"),
        ("ws://a.example:1", "ftp://a.example", "no WebSocket URL"),
        ("ws://a.example:1", "javascript:alert(1)", "no WebSocket URL"),
        ("ws://a.example:1", "ws://b.example:99999", "out of range"),
        ("ws://a.example:1", "ws://b.example:x", "Port"),
        ("ws://a.example:1", "ws://[::1", "Invalid IPv6 URL"),
        ("ws://a.example:1", "ws://b.example/a b", "percent-encoded"),
        ("ws://a.example:1", "ws://b.example/" + 5000 * "x", "longer"),
        ("ws://a.example:1", "ws://127.0.0.1:2", "own"),
        ("ws://a.example:1", "ws://localhost.:2", "own"),
        ("ws://a.example:1", "ws://x.localhost:2", "own"),
        ("ws://a.example:1", "ws://LocalHost.LocalDomain:2", "own"),
        ("ws://a.example:1", "ws://ip6-loopback:2", "own"),
        ("ws://a.example:1", "ws://127.1:2", "own"),
        ("ws://a.example:1", "ws://0x7f000001:2", "own"),
        ("ws://a.example:1", "ws://0:2", "own"),
        ("ws://a.example:1", "ws://127.0.0.1.:2", "own"),
        ("ws://a.example:1", "ws://[::ffff:127.0.0.1]:2", "own"),
        ("ws://a.example:1", "ws://[::1]:2", "own"),
        ("ws://a.example:1", "ws://169.254.169.254/latest", "own"),
        ("ws://a.example:1", "ws://0.0.0.0:2", "own"),
    ],
)
def test_where_a_redirect_may_not_lead(url: str, location: str, reason: str) -> None:
    with pytest.raises(LinkError, match=f"WebSocket redirect.*{reason}"):
        target_of(PeerURL.parse(url), location)


def test_redirects_end() -> None:
    def to(number: int) -> Redirected:
        return Redirected(PeerURL.parse(f"ws://h:{number}/?sni=x"))

    route = Route(PeerURL.parse("ws://h:0/?sni=x"))
    for number in range(1, MOST + 1):
        assert route.follow(to(number)).port == number
    with pytest.raises(LinkError, match="circle"):
        route.follow(to(2))
    with pytest.raises(LinkError, match=f"more than {MOST}"):
        route.follow(to(99))


class Web:
    """Web servers in memory that redirect, and a listener of ours; notes the requests."""

    def __init__(self, network: LoopbackNetwork) -> None:
        self.manager = TransportManager(network)
        self.manager.register(WSTransport(CERTIFICATE))
        self.requests: list[str] = []
        self._network = network
        self._parts = AsyncExitStack()

    async def redirecting(self, location: str | Callable[[int], str], status: int = 302) -> Listener:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            where = location if isinstance(location, str) else location(len(self.requests))
            writer.write(f"HTTP/1.1 {status} Moved\r\nLocation: {where}\r\nContent-Length: 2\r\n\r\nhi".encode())

        return await self._parts.enter_async_context(serving(self._network, answer, "127.0.0.1"))

    async def ours(self, scheme: str) -> str:
        listener = await self.manager.listen(f"{scheme}://127.0.0.1:0/link")
        self._parts.callback(listener.close)
        self.listener = listener
        return str(listener.url)

    async def close(self) -> None:
        await self._parts.aclose()


@asynccontextmanager
async def web() -> AsyncIterator[Web]:
    async with LoopbackNetwork() as network:
        made = Web(network)
        try:
            yield made
        finally:
            await made.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
@on_loops
async def test_a_redirect_is_followed(scheme: str, status: int) -> None:
    async with web() as servers:
        last = await servers.redirecting(await servers.ours(scheme), status)
        first = await servers.redirecting(f"http://{last.address}/middle?x=1", status)
        client = await servers.manager.dial(f"ws://me:secret@{first.address}/start?token=7&password=hidden")
        server, _ = await servers.listener.accept()
        assert [request.split()[1] for request in servers.requests] == ["/start?token=7", "/middle?x=1"]
        assert not any("secret" in request or "hidden" in request for request in servers.requests)
        assert "authorization" not in "".join(servers.requests).lower()
        client.abort()
        server.abort()


@on_loops
async def test_redirects_without_end() -> None:
    async with web() as servers:
        circle = await servers.redirecting("/")
        with pytest.raises(LinkError, match="circle"):
            await servers.manager.dial(f"ws://{circle.address}")
        away = await servers.redirecting(lambda number: f"/{number}")
        servers.requests.clear()
        with pytest.raises(LinkError, match=f"more than {MOST}"):
            await servers.manager.dial(f"ws://{away.address}")
        assert len(servers.requests) == MOST + 1


@pytest.mark.parametrize("status", [300, 304, 404])
@on_loops
async def test_other_answers_are_no_redirects(status: int) -> None:
    async with web() as servers:
        server = await servers.redirecting("/x", status)
        with pytest.raises(LinkError, match=str(status)):
            await servers.manager.dial(f"ws://{server.address}")
        assert len(servers.requests) == 1


@on_loops
async def test_a_redirect_goes_through_the_network_of_its_host() -> None:
    async with web() as servers, LoopbackNetwork() as hidden:
        other = TransportManager(hidden)
        other.register(WSTransport())
        listener = await other.listen("ws://127.0.0.2:0")
        servers.manager.map_network("127.0.0.2", hidden)
        servers.manager.map_network("127.0.0.3", None)
        server = await servers.redirecting(f"ws://{listener.address}/")
        client = await servers.manager.dial(f"ws://{server.address}")
        (await listener.accept())[0].abort()
        client.abort()
        blocked = await servers.redirecting("ws://127.0.0.3:1/")
        with pytest.raises(BlockedHostError):
            await servers.manager.dial(f"ws://{blocked.address}")
        listener.close()
        await listener.wait_closed()
