"""ygg.crawler.crawl: what is asked, in which order and how fast; nodes that make keys up; real nodes and daemons."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any, cast

import pytest

from tests.aio import in_virtual_time, on_loops, until
from tests.nodes import node, ups
from ygg import Config, LoopbackNetwork
from ygg.admin import Client
from ygg.crawler import AdminSource, Crawl
from ygg.crawler import crawl as module
from ygg.daemon import Daemon
from ygg.errors import QueryTimeout
from ygg.simulation import VirtualLoop, topology
from ygg.testing import private_key, public_key


def config(number: int, **members: Any) -> Config:
    options = {"admin_listen": "none", "if_name": "none", "multicast_interfaces": []} | members
    return Config(private_key=private_key(number), **options)


def key(number: int) -> bytes:
    return number.to_bytes(32)


class Network:
    """Answers for nodes by number, each after a time; others never answer."""

    def __init__(self, edges: list[tuple[int, int]], seconds: float = 0.1) -> None:
        self.peers: dict[int, list[bytes]] = {}
        for a, b in edges:
            self.peers.setdefault(a, []).append(key(b))
            self.peers.setdefault(b, []).append(key(a))
        self.seconds = seconds
        self.asked: list[int] = []
        self.under_way = self.most = 0

    async def remote_peers(self, key: bytes, *, timeout: float) -> list[bytes]:
        number = int.from_bytes(key)
        self.asked.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if number not in self.peers:
                await asyncio.sleep(timeout)
                raise QueryTimeout("timed out waiting for response")
            await asyncio.sleep(self.seconds)
            return self.peers[number]
        finally:
            self.under_way -= 1


@in_virtual_time
async def test_all_nodes_are_found_and_each_is_asked_once() -> None:
    edges = topology.barabasi_albert_graph(300, 2, seed=1)
    network, shown = Network(edges), []
    crawl = Crawl(network)
    graph = await crawl.run(key(0), network.peers[0], lambda asked, known: shown.append((asked, known)))
    assert sorted(network.asked) == list(range(1, 300))
    assert [(int.from_bytes(a), int.from_bytes(b), both) for a, b, both in graph.links()] == [(*e, True) for e in edges]
    assert shown[-1] == (300, 300)
    assert graph.nodes[key(7)].seconds == pytest.approx(0.1)
    assert next(iter(graph)).key == key(0)


@in_virtual_time
async def test_questions_have_a_rate_and_a_bound() -> None:
    network = Network(topology.star_graph(100), seconds=2.0)
    begun = asyncio.get_running_loop().time()
    await Crawl(network, at_once=8, rate=10).run(key(0), network.peers[0])
    assert network.most == 8
    assert asyncio.get_running_loop().time() - begun >= 100 / 8 * 2.0 - 2
    begun = asyncio.get_running_loop().time()
    await Crawl(network, at_once=1000, rate=10).run(key(0), network.peers[0])
    assert asyncio.get_running_loop().time() - begun == pytest.approx(12, abs=0.5)


@in_virtual_time
async def test_keys_that_are_made_up_delay_the_others_by_a_share() -> None:
    """Node 1 tells of a thousand nodes that there are not; node 2 begins a line of fifty."""
    network = Network([(0, 1), (0, 2), *((number, number + 1) for number in range(2, 52))])
    network.peers[1] += [key(number) for number in range(1000, 4000)]
    graph = await Crawl(network, at_once=8).run(key(0), network.peers[0])
    last = network.asked.index(52)
    assert last < 6 * 52    # eight at a time, each for six seconds, beside one of a tenth of a second
    assert graph.left_out == 3000 - module.MOST_PEERS
    assert graph.nodes[key(1000)].error == "timed out waiting for response"
    assert graph.answered == 53


@in_virtual_time
async def test_nodes_beyond_the_bound_are_left_out() -> None:
    network = Network(topology.star_graph(100))
    graph = await Crawl(network, most_nodes=20).run(key(0), [*network.peers[0], b"short", key(1)])
    assert (len(graph.nodes), graph.left_out) == (20, 81)


@in_virtual_time
async def test_what_was_found_when_it_is_cancelled() -> None:
    network = Network(topology.star_graph(100))
    crawl = Crawl(network, rate=10)
    task = asyncio.create_task(crawl.run(key(0), network.peers[0]))
    await asyncio.sleep(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 40 <= crawl.graph.answered <= 52
    assert not network.under_way


@in_virtual_time
async def test_nodes_of_this_library() -> None:
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    async with contextlib.AsyncExitStack() as parts:
        network = await parts.enter_async_context(LoopbackNetwork())
        cores = [await parts.enter_async_context(node(number, network, clock=loop.clock)) for number in range(6)]
        for one, other in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (1, 4)):
            at = (await cores[other].listen("tcp://127.0.0.1:0")).address
            await cores[one].call_peer(f"tcp://{at}")
        await asyncio.sleep(5)
        graph = await Crawl(cores[0]).run(cores[0].public_key, ups(cores[0]))
        assert set(graph.nodes) == {core.public_key for core in cores}
        assert len(graph.links()) == 7
        assert all(link.both for link in graph.links())


@on_loops
async def test_by_admin_sockets(tmp_path: Path) -> None:
    async with Daemon(config(1, listen=["tcp://127.0.0.1:0"])) as one:
        link = str(one.core.listeners[0].url)
        endpoint = f"unix://{tmp_path}/socket"
        async with Daemon(config(2, peers=[link], admin_listen=endpoint)) as two:
            await until(lambda: ups(two.core))
            async with Client(endpoint) as first, Client(endpoint) as second:
                source = AdminSource([first, second])
                graph = await Crawl(source, timeout=30).run(two.core.public_key, ups(two.core))
    assert [record.key for record in graph] == [public_key(2), public_key(1)]
    assert graph.links()[0].both
