"""ygg.network.socks.network and ygg.network.socks.messages: dialing through a proxy, and proxies that misbehave."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, settle
from tests.network.socks_proxy import Proxy
from ygg.errors import (
    ConnectionRefused,
    ConnectTimeout,
    HostUnreachable,
    NetworkUnreachable,
    OperationNotSupported,
    ProxyError,
    URLError,
)
from ygg.network import LoopbackNetwork, NativeNetwork, Network, SocksNetwork
from ygg.network.socks import messages
from ygg.network.streams import open_connection, serving
from ygg.testing.conformance import CHECKS, Check, Subject


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_conformance(network_type: type[Network], check: Check) -> None:
    async with (
        network_type() as base,
        Proxy(base, {}).running() as proxy,
        SocksNetwork(f"socks5://{proxy.address}", base) as network,
    ):
        await check(Subject(network, "127.0.0.1", server=base, datagrams=False))


@on_loops
async def test_names_are_left_to_the_proxy_and_it_is_logged_in_to() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello from the onion\n")

    async with LoopbackNetwork() as base:
        proxy = Proxy(base, {"abc.onion": "127.0.0.1"}, {"me": "p@ss"})
        async with proxy.running() as listener, serving(base, greet, "127.0.0.1") as target:
            network = SocksNetwork(f"socks5://me:p%40ss@{listener.address}", base)
            port = int(target.address.rpartition(":")[2])
            assert await network.resolve("abc.onion") == ["abc.onion"]
            reader, writer = await open_connection(network, "abc.onion", port)
            assert await reader.readline() == b"hello from the onion\n"
            assert proxy.asked == ["abc.onion"]
            writer.close()
            for wrong in ("socks5://me:wrong@", "socks5://"):
                with pytest.raises(ProxyError):
                    await SocksNetwork(f"{wrong}{listener.address}", base).connect_stream("abc.onion", port)


@on_loops
async def test_an_empty_password_is_one() -> None:
    """Proxies that tell their users' streams apart by name care for no password."""
    async with LoopbackNetwork() as base:
        proxy = Proxy(base, {}, {"stream1": ""})
        async with proxy.running() as listener:
            network = SocksNetwork(f"socks5://stream1@{listener.address}", base)
            (await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))).abort()
            assert proxy.asked == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 400", ProxyError),
        (b"\4\0", ProxyError),
        (b"\5\1", ProxyError),
        (b"\5\xff", ProxyError),
        (b"\5\0\5\1\0\1", ProxyError),
        (b"\5\0\5\3\0\1", NetworkUnreachable),
        (b"\5\0\5\4\0\1", HostUnreachable),
        (b"\5\0\5\5\0\1", ConnectionRefused),
        (b"\5\0\5\x63\0\1", ProxyError),
        (b"\5\0\4\0\0\1", ProxyError),
        (b"\5\0\5\0\0\7", ProxyError),
        (b"\5\0\5\0\0", ProxyError),
        (b"\5", ProxyError),
        (b"", ProxyError),
    ],
)
@on_loops
async def test_a_proxy_that_refuses_or_speaks_nonsense(reply: bytes, kind: type[OSError]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await reader.read(1)

    async with LoopbackNetwork() as base, serving(base, answer, "127.0.0.1") as proxy:
        network = SocksNetwork(f"socks5://{proxy.address}", base)
        with pytest.raises(kind):
            await network.connect_stream("a.example", 1)


class Fleeting(NativeNetwork):
    """A network whose connections are lost before anyone takes them over."""

    async def connect_stream(self, host: str, port: int, **options: Any) -> asyncio.Transport:
        transport = await super().connect_stream(host, port, **options)
        transport.abort()
        await settle()
        return transport


async def taciturn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@on_loops
async def test_a_proxy_that_is_lost_at_once() -> None:
    async with Fleeting() as base, serving(base, taciturn, "127.0.0.1") as proxy:
        with pytest.raises(ProxyError, match="hung up"):
            await SocksNetwork(f"socks5://{proxy.address}", base).connect_stream("a.example", 1)


@pytest.mark.parametrize("said", [b"", b"\5", b"\5\2", b"\5\2\1\0", b"\5\2\1\0\5\0\0", b"\5\2\1\0\5\0\0\3\xffname"])
@on_loops
async def test_a_proxy_that_stalls(said: bytes) -> None:
    """At whatever point of the exchange; others keep working meanwhile, and the connection to it is given up."""
    ended = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        try:
            while await reader.read(100):
                pass
        except ConnectionError:
            pass
        ended.set()

    async with LoopbackNetwork() as base, serving(base, stall, "127.0.0.1") as proxy:
        network = SocksNetwork(f"socks5://me:secret@{proxy.address}", base, timeout=0.02)
        dial = asyncio.ensure_future(network.connect_stream("a.example", 1))
        async with Proxy(base, {}).running() as other:
            good = SocksNetwork(f"socks5://{other.address}", base)
            (await good.connect_stream("127.0.0.1", int(other.address.rpartition(":")[2]))).abort()
        with pytest.raises(ConnectTimeout, match="did not answer"):
            await dial
        await ended.wait()


@on_loops
async def test_what_it_cannot_do() -> None:
    async with LoopbackNetwork() as base:
        network = SocksNetwork("socks5://127.0.0.1:1", base)
        with pytest.raises(ConnectionRefused):
            await network.connect_stream("a.example", 1)
        with pytest.raises(OperationNotSupported):
            await network.listen_stream("127.0.0.1", 0)
        for url in ("http://127.0.0.1:1", "socks5://127.0.0.1", "socks5:///x"):
            with pytest.raises(URLError):
                SocksNetwork(url, base)


def test_a_name_too_long_or_empty_is_not_sent() -> None:
    for host in ("a" * 256, ""):
        exchange = messages.connect(host, 1)
        next(exchange)
        with pytest.raises(ProxyError):
            exchange.send(b"\5\0")
