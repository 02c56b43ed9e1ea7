"""The library's public face as its users write it: each shape of a call that no program in examples/ makes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.aio import on_loops, run, settle, until
from ygg import (
    BUILTIN,
    AutoPeerConfig,
    AutoPeerManager,
    Config,
    Core,
    Gateway,
    InterfaceRule,
    LoopbackNetwork,
    Multicast,
    NativeNetwork,
    Network,
    PeerFetcher,
    SocksNetwork,
    TCPTransport,
    TLSTransport,
    TransportManager,
    TunAdapter,
    VTun,
)
from ygg.errors import BlockedHostError, UnmappedHostError


@asynccontextmanager
async def new_node(network: Network) -> AsyncIterator[Core]:
    config = Config.generate()
    manager = TransportManager(network)
    manager.register(TCPTransport())
    manager.register(TLSTransport(config.certificate))
    async with Core(config.certificate, manager) as node:
        yield node


@asynccontextmanager
async def two_nodes(network: Network) -> AsyncIterator[tuple[Core, Core]]:
    async with new_node(network) as server, new_node(network) as client:
        listener = await server.listen("tls://127.0.0.1:0")
        client.add_peer(f"tls://{listener.address}?key={server.public_key.hex()}&maxbackoff=5m")
        await until(lambda: server.peers())
        yield server, client


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    writer.close()


async def ask(vtun: VTun, server: Core) -> None:
    reader, writer = await vtun.open_connection(server.address, 7)
    writer.write(b"anybody there?\n")
    assert await reader.read() == b"ANYBODY THERE?\n"
    writer.close()


class Once(asyncio.Protocol):
    """Keeps what comes until the end."""

    def __init__(self) -> None:
        self.data = b""
        self.done = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(exc)


@on_loops
async def test_networks_by_host() -> None:
    async with NativeNetwork() as native, LoopbackNetwork() as loopback:
        manager = TransportManager()
        with pytest.raises(UnmappedHostError):
            manager.network_for("127.0.0.1")
        manager.map_network("127.0.0.1", loopback)
        socks = SocksNetwork("socks5://127.0.0.1:9050")
        manager.map_network("*.onion", socks)
        manager.map_network("*.loki", None)
        manager.default_network = native
        assert manager.network_for("127.0.0.1") is loopback
        assert manager.network_for("name.onion") is socks
        assert manager.network_for("peer.example") is native
        with pytest.raises(BlockedHostError):
            manager.network_for("exit.loki")
        manager.unmap_network("*.onion")
        assert manager.network_for("name.onion") is native


@on_loops
async def test_the_overlay_as_a_network() -> None:
    async with (
        NativeNetwork() as network,
        two_nodes(network) as (server, client),
        VTun.over(server, mtu=65535) as there,
        VTun.over(client, mtu=65535) as vtun,
    ):
        host = str(server.address)
        assert 0 < await vtun.ping(host, timeout=30.0) < 30
        async with await there.start_server(shout, port=8080):
            reader, writer = await vtun.open_connection(host, 8080)
            writer.write(b"streams\n")
            assert await reader.read() == b"STREAMS\n"
            writer.close()
            transport, protocol = await vtun.create_connection(Once, host, 8080)
            transport.write(b"protocols\n")
            await protocol.done
            assert protocol.data == b"PROTOCOLS\n"
        async with await there.open_datagram(local_port=0) as service, await vtun.open_datagram(local_port=0) as udp:
            port = service.getsockname()[1]
            await udp.sendto(b"datagram", (host, port))
            data, source = await service.recvfrom()
            assert data == b"datagram"
            assert source[:2] == (str(client.address), udp.getsockname()[1])


@on_loops
async def test_the_same_piece_by_piece() -> None:
    async with LoopbackNetwork() as network, two_nodes(network) as (server, node), VTun.over(server) as there:
        gateway = Gateway(node)
        adapter = TunAdapter(gateway, mtu=1500)
        async with (
            VTun(addresses=[node.address], mtu=1500) as vtun,
            VTun(addresses=[node.address], mtu=1500) as other,
            await there.start_server(shout, port=7),
        ):
            adapter.attach(vtun)
            await ask(vtun, server)
            assert adapter.replace(other) is vtun
            await ask(other, server)
            assert adapter.replace(vtun) is other
            await ask(vtun, server)
            assert adapter.detach() is vtun
        adapter.close()
        gateway.close()


def test_peers_found_by_the_lists() -> None:
    async def main() -> None:
        async with LoopbackNetwork() as native, new_node(native) as node:
            fetcher = PeerFetcher(interval=3600, network=native, sources=[BUILTIN])
            manager = AutoPeerManager(fetcher, node, AutoPeerConfig(
                check_interval=60, minimum_connected=2,
                countries=["germany", "france", "netherlands"], schemes=["tcp", "tls"]))
            async with manager:
                await until(lambda: node.peers())
                assert fetcher.peers
                chosen = {peer.url for peer in node.peers()}
                listed = {peer.url for peer in fetcher.peers if peer.country in ("germany", "france", "netherlands")}
                assert all(any(url.startswith(one) for url in listed) for one in chosen)

            idle = AutoPeerManager(fetcher, node, AutoPeerConfig(countries=["germany"]))
            before = len(node.peers())
            async with idle:
                await settle(50)
                assert len(node.peers()) == before

    run(main())


def test_peers_found_on_the_link() -> None:
    async def main() -> None:
        async with (
            NativeNetwork() as native,
            new_node(native) as node,
            Multicast(node, native, [InterfaceRule(r"^(eth|en|wlan|wl).*", beacon=True, listen=True)]),
        ):
            await settle()

    run(main())
