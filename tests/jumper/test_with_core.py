"""A jumper with real nodes on a network in memory: A, B, C in a row, where A and C come to be neighbours."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import Core, Jumper, JumperConfig, LoopbackNetwork, PeerInfo, VTun

CONFIG = JumperConfig(interval=0.02, margin=1000, rate=1000)


@dataclass
class Row:
    """Three nodes in a row and the VTuns of the outer ones."""

    a: Core
    b: Core
    c: Core
    near: VTun
    far: VTun

    async def exchange(self, size: int = 1 << 18) -> None:
        """Send bytes from A to C by TCP, and get them back."""

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read())
            writer.close()

        async with await self.far.start_server(echo, port=7):
            reader, writer = await self.near.open_connection(self.c.address, 7)
            writer.write(bytes(size))
            writer.write_eof()
            assert len(await reader.read()) == size
            writer.close()
            await writer.wait_closed()


def direct(one: Core, other: Core) -> list[PeerInfo]:
    return [peer for peer in one.peers() if peer.up and peer.key == other.public_key]


@contextlib.asynccontextmanager
async def row() -> AsyncIterator[Row]:
    network = LoopbackNetwork(addresses=["8.8.8.0/24"])
    async with network, node(1, network) as a, node(12, network) as b, node(3, network) as c:
        listener = await b.listen("tcp://8.8.8.2:0")
        await c.listen("tcp://8.8.8.3:0")
        await c.listen("tcp://127.0.0.1:0")
        for outer in (a, c):
            await outer.call_peer(f"tcp://{listener.address}")
        async with VTun.over(a) as near, VTun.over(c) as far:
            yield Row(a, b, c, near, far)


@on_loops
async def test_traffic_takes_a_direct_link_which_goes_when_it_ends() -> None:
    skipped = 0.0
    async with (
        row() as nodes,
        Jumper(nodes.c, CONFIG) as server,
        Jumper(nodes.a, CONFIG, clock=lambda: time.monotonic() + skipped) as jumper,
    ):
        await until(lambda: server.published)
        assert server.published == [str(nodes.c.listeners[0].url)]
        assert direct(nodes.a, nodes.c) == []
        while not jumper.links:
            await nodes.exchange()
        (link,) = jumper.links
        (peer,) = direct(nodes.a, nodes.c)
        assert (peer.url, peer.persistent, peer.inbound) == (link.url, False, False)
        assert [found.inbound for found in direct(nodes.c, nodes.a)] == [True]

        # Of what is sent now, the node between sees next to nothing.
        await until(lambda: any(entry.key == nodes.c.public_key for entry in nodes.a.tree()))
        before = _bytes(nodes.b)
        await nodes.exchange(1 << 20)
        assert direct(nodes.a, nodes.c)[0].bytes_sent > 1 << 20
        assert _bytes(nodes.b) - before < 1 << 16

        while jumper.links:
            skipped += CONFIG.idle
            await asyncio.sleep(CONFIG.interval)
        assert direct(nodes.a, nodes.c) == []
        await nodes.exchange()
        assert _bytes(nodes.b) - before > 1 << 18


def _bytes(core: Core) -> int:
    return sum(peer.bytes_received for peer in core.peers())


@on_loops
async def test_an_address_that_is_not_the_publishers_leads_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever publishes a third node's address sends nobody there: the key is pinned."""
    caplog.set_level("DEBUG", "ygg.jumper")
    async with row() as nodes:
        third = await nodes.b.listen("tcp://8.8.8.2:0")
        nodes.c.publish("direct", [f"tcp://{third.address}"])
        async with Jumper(nodes.a, CONFIG) as jumper:
            while not any("does not match pinned keys" in message for message in caplog.messages):
                await nodes.exchange()
            assert jumper.links == []
            assert len(direct(nodes.a, nodes.b)) == 1


@on_loops
async def test_without_a_jumper_nothing_is_published_and_nobody_dialed() -> None:
    async with row() as nodes:
        for _ in range(2):
            await nodes.exchange(1 << 16)
        assert "direct" not in await nodes.a.node_info(nodes.c.public_key)
        assert [len(one.peers()) for one in (nodes.a, nodes.b, nodes.c)] == [1, 2, 1]
