"""Autopeering with real nodes on an in-memory network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.aio import on_loops, until
from ygg import (
    AutoPeerConfig,
    AutoPeerManager,
    Config,
    Core,
    LoopbackNetwork,
    PeerFetcher,
    TCPTransport,
    TransportManager,
)


@asynccontextmanager
async def node(network: LoopbackNetwork) -> AsyncIterator[Core]:
    manager = TransportManager(network)
    manager.register(TCPTransport())
    async with Core(Config.generate().certificate, manager) as core:
        yield core


@on_loops
async def test_reachable_peer_takes_the_place_of_dead_ones(tmp_path: Path) -> None:
    path = tmp_path / "germany.md"
    network = LoopbackNetwork(addresses=["192.0.2.0/24"])
    async with network, node(network) as public, node(network) as ours:
        listener = await public.listen("tcp://192.0.2.1:0")
        alive = f"tcp://{listener.address}"
        dead = {f"tcp://192.0.2.2:{port}" for port in (1, 2)}
        path.write_text(" ".join(f"`{url}`" for url in (*dead, f"{alive}?key={public.public_key.hex()}", "`tls://h:1`")))
        now = [0.0]
        config = AutoPeerConfig(["germany"], ["tcp"], minimum_connected=1, minimum_connected_from_fetch=1, patience=10)
        manager = AutoPeerManager(PeerFetcher([path]), ours, config, clock=lambda: now[0])
        await manager.fetcher.refresh()
        tried = set()
        while not any(peer.up for peer in ours.peers()):
            added = await manager.check()
            assert [peer.url for peer in ours.peers()] == [str(added).partition("?")[0]]
            tried.add(ours.peers()[0].url)
            failed = await _settled(ours)
            now[0] += 11 if failed else 0
        assert tried <= dead | {alive}
        assert [peer.key for peer in ours.peers()] == [public.public_key]
        assert await manager.check() is None


async def _settled(core: Core) -> bool:
    """Wait until the first attempt has ended, and tell whether it failed."""
    await until(lambda: any(peer.up or peer.last_error for peer in core.peers()))
    return not any(peer.up for peer in core.peers())


@on_loops
async def test_whole(tmp_path: Path) -> None:
    path = tmp_path / "publicnodes.json"
    network = LoopbackNetwork()
    async with network, node(network) as public, node(network) as ours:
        listener = await public.listen("tcp://127.0.0.1:0")
        path.write_text(json.dumps({"germany.md": {f"tcp://{listener.address}": {}}}))
        config = AutoPeerConfig(["Germany"], ["tcp"], minimum_connected=1)
        async with AutoPeerManager(PeerFetcher([path], allow_local=True), ours, config):
            await until(lambda: any(peer.up for peer in ours.peers()))
        await asyncio.sleep(0)
        assert [peer.persistent for peer in ours.peers()] == [True]


@on_loops
async def test_node_never_gets_what_it_cannot_dial(tmp_path: Path) -> None:
    path = tmp_path / "germany.md"
    path.write_text("`tls://192.0.2.1:1` `tcp://192.0.2.1:2`")
    async with LoopbackNetwork() as network, node(network) as ours:
        manager = AutoPeerManager(PeerFetcher([path]), ours, AutoPeerConfig(["germany"], ["tls", "tcp"]))
        await manager.fetcher.refresh()
        assert [await manager.check() for _ in range(2)] == ["tcp://192.0.2.1:2", None]
        assert [peer.url for peer in ours.peers()] == ["tcp://192.0.2.1:2"]
