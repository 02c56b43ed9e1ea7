"""A VTun, and what stands on it, with names."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

import ygg
from tests.aio import in_virtual_time, on_loops
from tests.certificates import contexts, self_signed
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectTimeout, ResolveError
from ygg.integrations.httpx import YggTransport
from ygg.names import Names
from ygg.network import LoopbackNetwork
from ygg.stream.held import HoldingProtocol
from ygg.testing import public_key
from ygg.vtun import OverlayNetwork


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


@on_loops
async def test_names_where_hosts_are_taken() -> None:
    async with joined() as pair:
        server = await pair.b.start_server(hello, port=80)
        with pytest.raises(ResolveError):
            await pair.a.open_connection("friend.example", 80)
        pair.a.names = Names({"friend.example": ADDRESS_B})
        reader, writer = await pair.a.open_connection("friend.example", 80, timeout=5)
        assert await reader.read() == b"hello"
        writer.close()
        assert await pair.a.ping("friend.example") > 0
        async with (
            await pair.b.open_datagram("::", 7) as far,
            await pair.a.open_datagram(remote_addr=("friend.example", 7)) as near,
        ):
            await near.send(b"word")
            assert (await far.recvfrom())[0] == b"word"
        async with OverlayNetwork(pair.a) as network:
            assert await network.resolve("friend.example") == [ADDRESS_B]
            transport = await network.connect_stream("friend.example", 80)
            transport.abort()
        for host in ("stranger.example", ""):
            with pytest.raises(ResolveError):
                await pair.a.open_connection(host, 80)
        server.close()


@on_loops
async def test_a_certificate_is_to_be_of_the_name(tmp_path: Path) -> None:
    ours, theirs = contexts(self_signed(tmp_path / "server.pem", "friend.example"))
    async with joined() as pair:
        server = await pair.b.start_server(hello, port=443, ssl=ours)
        pair.a.names = Names({"friend.example": ADDRESS_B, "other.example": ADDRESS_B})
        reader, writer = await pair.a.open_connection("friend.example", 443, ssl=theirs)
        assert await reader.read() == b"hello"
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await pair.a.open_connection("other.example", 443, ssl=theirs)
        server.close()


class Slow:
    """Takes a minute for each name."""

    async def resolve(self, name: str) -> str:
        await asyncio.sleep(60)
        return ADDRESS_B


@in_virtual_time
async def test_the_time_for_a_connection_is_that_for_its_name_too() -> None:
    async with joined() as pair:
        server = await pair.b.start_server(hello, port=80)
        pair.a.names = Slow()
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ConnectTimeout, match="the name was not resolved within 5 s"):
            await pair.a.open_connection("friend.example", 80, timeout=5)
        with pytest.raises(TimeoutError):
            await pair.a.ping("friend.example", timeout=5)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(10)
        transport, _ = await pair.a.create_connection(HoldingProtocol, "friend.example", 80)
        transport.abort()
        server.close()


@in_virtual_time
async def test_a_node_in_one_line_has_names() -> None:
    clock = asyncio.get_running_loop().clock  # type: ignore[attr-defined]
    async with (
        LoopbackNetwork() as network,
        ygg.open_node(network=network, listen=["tcp://127.0.0.1:99"], clock=clock) as one,
    ):
        names: dict[str, Any] = {"one.example": one.core.address, "key.example": one.core.public_key}
        async with ygg.open_node(network=network, peers=["tcp://127.0.0.1:99"], names=names, clock=clock) as two:
            await two.connected(10)
            for host in (*names, f"{one.core.public_key.hex()}.pk.ygg", one.core.public_key.hex()):
                assert await two.ping(host) >= 0
            with pytest.raises(ResolveError):
                await two.ping("other.example")
        async with ygg.open_node(network=network, names=False, clock=clock) as none:
            assert none.vtun.names is None
        async with ygg.open_node(network=network, names=Slow(), clock=clock) as own:
            assert isinstance(own.vtun.names, Slow)


@on_loops
async def test_httpx_takes_names() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host = next(line for line in head.lower().splitlines() if line.startswith(b"host:"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(host), host))
        writer.close()

    async with joined() as pair:
        server = await pair.b.start_server(serve, port=80)
        name = f"{public_key(1).hex()}.pk.ygg"
        pair.a.names = Names({"friend.example": ADDRESS_B})
        async with httpx.AsyncClient(transport=YggTransport(pair.a)) as client:
            assert (await client.get("http://friend.example/")).text == "host: friend.example"
            with pytest.raises(httpx.ConnectError):
                await client.get("http://stranger.example/")
        assert await pair.a.names.resolve(name) == public_key(1)
        server.close()
