"""ygg.transport.ws and ygg.stream.websocket: links as WebSocket traffic."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("websockets")

from tests.aio import on_loops, until
from ygg.errors import ConnectTimeout, LinkError, MissingExtraError, OperationNotSupported
from ygg.identity.certificate import Certificate
from ygg.network import HoldingProtocol, LoopbackNetwork, NativeNetwork, Network
from ygg.network.streams import open_connection, serving, streams
from ygg.transport import TransportManager
from ygg.transport.manager import ManagedListener
from ygg.transport.ws import WSTransport

CERTIFICATE = Certificate.generate()
NETWORKS = pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])


@asynccontextmanager
async def listening(
    network: Network, url: str = "ws://127.0.0.1:0"
) -> AsyncIterator[tuple[TransportManager, ManagedListener]]:
    manager = TransportManager(network)
    manager.register(WSTransport(CERTIFICATE))
    listener = await manager.listen(url)
    try:
        yield manager, listener
    finally:
        listener.close()
        await listener.wait_closed()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@NETWORKS
@on_loops
async def test_bytes_cross_both_ways_and_the_end_is_clean(network_type: type[Network], scheme: str) -> None:
    async with network_type() as network, listening(network, f"{scheme}://127.0.0.1:0/any/path") as (manager, listener):
        client = await manager.dial(f"{listener.url}?key={'ab' * 32}")
        server, remote = await listener.accept()
        assert remote.startswith("127.0.0.1:")
        assert not client.is_reading()
        assert isinstance(server.get_protocol(), HoldingProtocol)
        (reader, writer), (other_reader, other) = streams(client), streams(server)
        sent = os.urandom(1_000_000)
        for start in range(0, len(sent), 70_000):
            writer.write(sent[start : start + 70_000])
        other.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        assert await other_reader.readexactly(len(sent)) == sent
        writer.close()
        assert await other_reader.read() == b""
        other.close()
        await writer.wait_closed()
        await other.wait_closed()


async def ask(network: Network, listener: ManagedListener, request: bytes) -> bytes:
    reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
    writer.write(request)
    try:
        return await reader.read(4096)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


UPGRADE = (
    b"Host: h.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    ("query", "head", "status"),
    [
        ("", b"GET /health HTTP/1.1\r\nHost: x\r\n", b"200"),
        ("", b"GET /healthz?x HTTP/1.1\r\nHost: x\r\n", b"200"),
        ("", b"GET / HTTP/1.1\r\nHost: x\r\n", b"426"),
        ("", b"nonsense\r\n", b""),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: ygg-ws\r\n", b"101"),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: other\r\n", b"101"),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: https://h.example\r\n", b"101"),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: https://evil.example\r\n", b"403"),
        ("?origin=*.example", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: https://evil.example\r\n", b"101"),
        ("?origin=http://*", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: https://evil.example\r\n", b"403"),
        ("?origin=*", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: null\r\n", b"101"),
        ("?origin=*", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Origin: http://a\r\nOrigin: http://b\r\n", b"400"),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Host: h.example\r\n", b"400"),
        ("", b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n", b"400"),
        ("", b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Key: x\r\n", b"400"),
    ],
)
@on_loops
async def test_what_a_web_client_is_answered(query: str, head: bytes, status: bytes) -> None:
    async with LoopbackNetwork() as network, listening(network, f"ws://127.0.0.1:0{query}") as (_, listener):
        answer = await ask(network, listener, head + b"\r\n")
        assert answer[9:12] == status
        if status == b"101" and b"ygg-ws" not in head:
            assert b"\x03\xf0client must speak the ygg-ws subprotocol" in answer


@on_loops
async def test_a_web_server_that_is_none_of_ours() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(WSTransport())
        for handler in (refuse, hang_up):
            async with serving(network, handler, "127.0.0.1") as listener:
                with pytest.raises(LinkError):
                    await manager.dial(f"ws://{listener.address}")
        silent = await network.listen_stream("127.0.0.1", 0)
        with pytest.raises(ConnectTimeout):
            await manager.dial(f"ws://{silent.address}", timeout=0.02)
        with pytest.raises(OperationNotSupported, match="WSS listener not supported"):
            await manager.listen("wss://127.0.0.1:0")


@on_loops
async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.protocol", None)
    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(WSTransport())
        for attempt in (manager.dial, manager.listen):
            with pytest.raises(MissingExtraError, match=r"ygg\[ws\]"):
                await attempt("ws://127.0.0.1:1")


@on_loops
async def test_our_options_are_not_told_to_the_web_server() -> None:
    asked: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(WSTransport())
        async with serving(network, note, "127.0.0.1") as listener:
            with pytest.raises(LinkError):
                await manager.dial(f"ws://{listener.address}/p?password=secret&token=t&priority=3")
    assert asked[0].startswith(b"GET /p?token=t HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1\r\n" in asked[0]
    assert b"secret" not in asked[0]


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"\0ET"])
@pytest.mark.parametrize("tail", [b"", b"nonsense"])
@on_loops
async def test_a_request_with_its_end_or_nonsense_right_behind(method: bytes, tail: bytes) -> None:
    async with LoopbackNetwork() as network, listening(network) as (manager, listener):
        reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
        writer.write(method + b" / HTTP/1.1\r\n" + UPGRADE + b"\r\n" + tail)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        good = await manager.dial(listener.url)
        good.abort()


# Keepalive


def pings(carried: bytes) -> int:
    """Count the empty ping frames in what a client or a server has sent."""
    return carried.count(b"\x89\x80") + carried.count(b"\x89\x00")


@pytest.mark.parametrize("side", ["dialed", "accepted"])
@on_loops
async def test_a_keepalive_keeps_an_idle_link_through_a_proxy(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ygg.url.MIN_KEEPALIVE", 0.01)
    options = ("?keepalive=50ms", "") if side == "dialed" else ("", "?keepalive=50ms")
    async with impatient(0.5, options[1]) as (manager, listener, proxy):
        client = await manager.dial(f"ws://{proxy.address}{options[0]}")
        server, _ = await listener.accept()
        (reader, writer), (other_reader, other) = streams(client), streams(server)
        await until(lambda: pings(proxy.carried) > 15 or proxy.lost_patience)
        assert not proxy.lost_patience
        writer.write(b"still\n")
        other.write(b"there\n")
        assert (await other_reader.readline(), await reader.readline()) == (b"still\n", b"there\n")
        writer.close()
        other.close()


@on_loops
async def test_without_keepalive_a_proxy_takes_an_idle_link_for_dead() -> None:
    async with impatient(0.1) as (manager, listener, proxy):
        client = await manager.dial(f"ws://{proxy.address}")
        server, _ = await listener.accept()
        (reader, writer), (_, other) = streams(client), streams(server)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        assert proxy.lost_patience
        assert pings(proxy.carried) == 0
        writer.close()
        other.close()


@on_loops
async def test_pings_do_not_pile_up_and_end_with_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ygg.url.MIN_KEEPALIVE", 0.001)
    url = "ws://127.0.0.1:0?keepalive=1ms"
    async with LoopbackNetwork() as network, listening(network, url) as (manager, listener):
        client = await manager.dial(str(listener.url.with_query()))  # reads nothing
        server, _ = await listener.accept()
        server.write(bytes(3_000_000))
        waiting = server.get_write_buffer_size()
        assert waiting
        await asyncio.sleep(0.05)
        assert server.get_write_buffer_size() <= waiting
        server.abort()
        client.abort()
        for end in (server, client):
            await until(lambda end=end: not end.pings)


@asynccontextmanager
async def impatient(
    patience: float, options: str = ""
) -> "AsyncIterator[tuple[TransportManager, ManagedListener, Impatient]]":
    async with LoopbackNetwork() as network, listening(network, f"ws://127.0.0.1:0{options}") as (manager, listener):
        proxy = Impatient(network, patience, listener.url.require_port())
        async with serving(network, proxy.serve, "127.0.0.1") as front:
            proxy.address = front.address
            yield manager, listener, proxy


class Impatient:
    """A proxy that ends connections on which one side has been silent for some seconds."""

    address = ""

    def __init__(self, network: Network, patience: float, target: int) -> None:
        self._network, self._patience, self._target = network, patience, target
        self.carried = b""
        self.lost_patience = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await open_connection(self._network, "127.0.0.1", self._target)
        ways = [asyncio.create_task(self._carry(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            writer.transport.abort()
            far_writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(self._patience):
                    data = await reader.read(65536)
                if not data:
                    return
                self.carried += data
                writer.write(data)
        except TimeoutError:
            self.lost_patience = True
