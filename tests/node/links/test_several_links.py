"""Several links to one node: the preferred carries the traffic, and another at once when it ends."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import Core, LoopbackNetwork, NativeNetwork, Network, PeerInfo, VTun

MUCH = 1 << 20


@asynccontextmanager
async def linked(network: Network, *priorities: int) -> AsyncIterator[tuple[Core, Core]]:
    """Two nodes with a link of each priority between them, from the first to the second."""
    async with node(1, network) as one, node(2, network) as two:
        for priority in priorities:
            listener = await two.listen("tcp://127.0.0.1:0")
            await one.call_peer(f"tcp://{listener.address}?priority={priority}")
        await until(lambda: len(two.peers()) == len(priorities))
        yield one, two


async def send(here: VTun, to: Core, count: int) -> None:
    """Send so many bytes, and see them arrive as they were."""
    data = random.Random(1).randbytes(count)
    reader, writer = await here.open_connection(to.address, 7)
    writer.write(data)
    writer.write_eof()
    assert await reader.read() == data
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 18):
        writer.write(data)
        await writer.drain()
    writer.close()


def by_priority(core: Core) -> dict[int, PeerInfo]:
    return {peer.priority: peer for peer in core.peers()}


@on_loops
async def test_the_lowest_priority_carries_the_traffic_whichever_came_first() -> None:
    for order in ((2, 1), (1, 2)):
        async with LoopbackNetwork() as network, linked(network, *order) as (one, two):
            assert len({peer.port for peer in one.peers()}) == 1
            async with VTun.over(one) as here, VTun.over(two) as there, await there.start_server(echo, port=7):
                await here.ping(two.address, timeout=30)
                await until(lambda: len([peer for peer in one.peers() if peer.latency is not None]) == 2)
                before = {priority: peer.bytes_sent for priority, peer in by_priority(one).items()}
                await send(here, two, MUCH)
                sent = {priority: peer.bytes_sent - before[priority] for priority, peer in by_priority(one).items()}
                assert sent[1] > MUCH
                assert sent[2] < MUCH / 100


@on_loops
async def test_a_stream_goes_on_over_the_other_link_when_the_preferred_one_dies() -> None:
    async with (
        NativeNetwork() as network,
        linked(network, 1, 2) as (one, two),
        VTun.over(one) as here,
        VTun.over(two) as there,
        await there.start_server(echo, port=7),
    ):
        await here.ping(two.address, timeout=30)
        transfer = asyncio.create_task(send(here, two, 6 * MUCH))
        await until(lambda: by_priority(one)[1].bytes_sent > MUCH)
        one.remove_peer(by_priority(one)[1].url)
        assert not transfer.done()
        await transfer
        (left,) = one.peers()
        assert left.priority == 2
        assert left.bytes_sent > MUCH
        await until(lambda: len(two.peers()) == 1)


@on_loops
async def test_a_better_link_takes_over_when_it_comes() -> None:
    async with (
        LoopbackNetwork() as network,
        linked(network, 5) as (one, two),
        VTun.over(one) as here,
        VTun.over(two) as there,
        await there.start_server(echo, port=7),
    ):
        await here.ping(two.address, timeout=30)
        await send(here, two, MUCH)
        listener = await two.listen("tcp://127.0.0.1:0?priority=3")
        await one.call_peer(f"tcp://{listener.address}")
        await until(lambda: by_priority(one)[3].latency is not None)
        before = by_priority(one)[5].bytes_sent
        await send(here, two, MUCH)
        assert by_priority(one)[3].bytes_sent > MUCH
        assert by_priority(one)[5].bytes_sent - before < MUCH / 100
