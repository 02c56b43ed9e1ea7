"""A node in one call: what is asked for is there, and at the end, or after a failure half-way, nothing is left."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.nodes import ups
from ygg import (
    AutoPeerConfig,
    Config,
    JumperConfig,
    LoopbackNetwork,
    NativeNetwork,
    PeerFetcher,
    TCPTransport,
    open_node,
)
from ygg.embed import EmbeddedNode
from ygg.errors import MissingExtraError, PinnedKeyError, UnknownSchemeError, URLError
from ygg.testing import private_key


def pinned(node: EmbeddedNode, number: int = 0) -> str:
    url = node.core.listeners[number].url
    return f"{url.scheme}://{url.host}:{url.port}?key={node.public_key.hex()}"


@on_loops
async def test_two_nodes_in_one_line_each(tmp_path: Path) -> None:
    async with open_node(tmp_path / "server.key", listen=["tls://127.0.0.1:0"]) as server:

        async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            writer.close()

        async with (
            await server.start_server(shout, port=7),
            open_node(tmp_path / "client.key", peers=[pinned(server)], mtu=1500) as client,
        ):
            assert (await client.connected(10)).key == server.public_key
            assert client.vtun.mtu == 1500
            reader, writer = await client.open_connection(server.public_key, 7, timeout=30)
            writer.write(b"hello\n")
            assert await reader.read() == b"HELLO\n"
            writer.close()
            assert await client.ping(server.address) > 0
            assert ups(server.core) == [client.public_key]
    async with open_node(tmp_path / "server.key") as again:
        assert again.public_key == server.public_key


@on_loops
async def test_awaited_it_is_closed_by_hand() -> None:
    async with LoopbackNetwork() as network:
        node = await open_node(private_key(1), network=network)
        assert node.public_key == private_key(1).public_key
        assert (node.autopeer, node.discovery, node.jumper) == (None, None, None)
        assert node.network is network
        await node.close()
        await node.close()
        async with await open_node(network=network) as other:
            assert other.address != node.address
        opening = open_node(network=network)
        async with opening:
            pass
        with pytest.raises(ValueError, match="opened once"):
            await opening


def test_nothing_happens_before_it_is_entered(tmp_path: Path) -> None:
    open_node(tmp_path / "node.key", peers=["tls://a.example:1"])
    assert list(tmp_path.iterdir()) == []


@on_loops
@pytest.mark.parametrize(("arguments", "error"), [
    ({"peers": ["tsl://a.example:1"]}, UnknownSchemeError),
    ({"peers": ["tls://a.example:1?key=short"]}, PinnedKeyError),
    ({"peers": ["nonsense"]}, URLError),
    ({"listen": ["tsl://127.0.0.1:0"]}, UnknownSchemeError),
    ({"listen": ["tcp://127.0.0.1:0", "tcp://203.0.113.1:0"]}, OSError),
    ({"schemes": ["tsl"]}, UnknownSchemeError),
    ({"link_local": True, "network": LoopbackNetwork()}, OSError),
    ({"mtu": 10}, ValueError),
    ({"options": {"nonsense": 1}}, TypeError),
])
async def test_a_failure_half_way_closes_what_was_open(arguments: dict[str, Any], error: type[Exception]) -> None:
    """The check after each test finds what is left."""
    with pytest.raises(error):
        async with open_node(**arguments):
            pass


@on_loops
async def test_a_mistyped_scheme_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownSchemeError, match=r"'tsl'.*quic, socks, sockstls, tcp, tls, unix, ws, wss"):
        await open_node(peers=["tsl://a.example:1"])


@on_loops
async def test_all_parts_are_there_when_asked_for() -> None:
    async with open_node(
        sources=[], countries="germany", link_local=[], direct=JumperConfig(), listen=["tcp://127.0.0.1:0"]
    ) as node:
        assert node.autopeer is not None
        assert node.autopeer.config == AutoPeerConfig(countries=["germany"], schemes=["tcp", "tls"])
        assert node.jumper is not None
        assert node.manager is node.core.manager
        assert set(node.manager.schemes) == {"tcp", "tls", "unix", "ws", "wss", "quic", "socks", "sockstls"}
    async with open_node(link_local=True) as node:
        assert node.discovery is not None


@on_loops
@pytest.mark.parametrize("form", ["lines", "array"])
async def test_peers_are_found_on_a_list_of_ones_own(tmp_path: Path, form: str) -> None:
    async with open_node(listen=["tcp://127.0.0.1:0", "tcp://127.0.0.1:0"]) as server:
        urls = [pinned(server, number) for number in range(2)]
        path = tmp_path / "peers"
        path.write_text("\n".join(urls) if form == "lines" else json.dumps(urls))
        async with open_node(sources=PeerFetcher([path], allow_local=True), autopeer=AutoPeerConfig()) as node:
            assert (await node.connected(10)).key == server.public_key


@on_loops
async def test_a_configuration_brings_what_it_says_and_more_is_added(tmp_path: Path) -> None:
    async with open_node(listen=["tcp://127.0.0.1:0", "tls://127.0.0.1:0"], group_password="x") as server:
        config = Config(
            private_key=private_key(5), peers=[pinned(server)], group_password="x", node_info={"name": "five"}
        )
        config.save(tmp_path / "node.conf")
        async with open_node(tmp_path / "node.conf", peers=[pinned(server, 1)]) as node:
            assert node.public_key == private_key(5).public_key
            assert len(node.peers()) == 2
            assert node.discovery is None
            await until(lambda: len(ups(node.core)) == 2)
            assert (await server.core.node_info(node.public_key))["name"] == "five"


@on_loops
async def test_transports_and_networks_of_ones_own_are_used() -> None:
    class Own(TCPTransport):
        schemes = ("own", "tcp")  # type: ignore[assignment]

    async with LoopbackNetwork() as network, open_node(transports=[Own()], networks={"127.0.0.1": network}) as node:
        listener = await node.listen("own://127.0.0.1:0")
        assert listener.url.scheme == "own"
        assert node.manager.network_for("127.0.0.1") is network
        assert isinstance(node.network, NativeNetwork)


@on_loops
async def test_a_scheme_whose_extra_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("aioquic", "ygg.transport.quic."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aioquic", None)
    async with open_node() as node:
        with pytest.raises(MissingExtraError, match="quic"):
            await node.core.call_peer("quic://127.0.0.1:9")


@on_loops
async def test_a_cancellation_while_opening_leaves_nothing() -> None:
    opening = asyncio.create_task(open_node(listen=["tcp://127.0.0.1:0"]).__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait({opening})


