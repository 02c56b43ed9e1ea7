"""Asking node after node for its peers, at a polite rate.

Each node is asked once, and those that several nodes tell of, or that other nodes have told of longest ago, come first:
the keys of each answer wait in a queue of their own, and the queues have their turns one after the other. So a node
that makes keys up by the thousand, none of which answers, delays the others by a share, and no more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ygg.crawler.graph import Graph, NodeRecord
from ygg.errors import AnswerError, YggError

if TYPE_CHECKING:
    from ygg.admin import Client

MOST_NODES = 20_000
"""Nodes that are looked at, unless told otherwise."""
MOST_PEERS = 1000
"""Peers of one node that count."""
AT_ONCE = 32
"""Questions that wait for an answer, unless told otherwise."""
RATE = 50.0
"""Questions a second, unless told otherwise."""
TIMEOUT = 6.0
"""Seconds that a node has to answer, unless told otherwise."""


class PeerSource(Protocol):
    """Who can ask a node for its peers: a `Core`, or an `AdminSource`."""

    async def remote_peers(self, key: bytes, *, timeout: float) -> list[bytes]:
        """Return the keys of a node's peers. Raises a `YggError`, or a `TimeoutError`."""


class AdminSource:
    """A running node, asked by its admin socket: this library's or the stock daemon.

    `clients` are `ygg.admin.Client`s of it, which stay their owner's to open and close; each asks one question at a
    time.
    """

    def __init__(self, clients: Iterable[Client]) -> None:
        self._free: asyncio.Queue[Client] = asyncio.Queue()
        for client in clients:
            self._free.put_nowait(client)

    async def remote_peers(self, key: bytes, *, timeout: float) -> list[bytes]:
        """Return the keys of a node's peers. Raises a `YggError`, or a `TimeoutError`."""
        client = await self._free.get()
        try:
            async with asyncio.timeout(timeout):
                reply = await client.request("debug_remoteGetPeers", key=key.hex())
        finally:
            self._free.put_nowait(client)
        try:
            return [bytes.fromhex(text) for node in reply.values() for text in node["keys"]]
        except (AttributeError, TypeError, KeyError, ValueError):
            raise AnswerError("the answer has no keys") from None


class Crawl:
    """A walk through the network that begins with one node: `graph = await Crawl(core).run(core.public_key, keys)`."""

    def __init__(
        self,
        source: PeerSource,
        *,
        most_nodes: int = MOST_NODES,
        at_once: int = AT_ONCE,
        rate: float = RATE,
        timeout: float = TIMEOUT,
    ) -> None:
        """Ask by `source`: `at_once` questions at most at a time, `rate` a second, each with `timeout` seconds."""
        self._source = source
        self._most, self._at_once, self._pause, self._timeout = most_nodes, at_once, 1 / rate, timeout
        self._queues: OrderedDict[bytes, deque[bytes]] = OrderedDict()
        self.graph = Graph()
        """What has been found so far."""
        self.asked = 0
        """Nodes that have answered, or will not."""

    async def run(
        self, start: bytes, peers: list[bytes], progress: Callable[[int, int], object] = lambda asked, known: None
    ) -> Graph:
        """Return what is found from the node with the key `start`, which is not asked, and has these peers.

        `progress(asked, known)` is called after each answer. What has been found when this is cancelled is at `graph`.
        """
        self.graph.nodes[start] = NodeRecord(start, tuple(peers), 0.0)
        self.asked = 1
        self._told(start, peers)
        async with asyncio.TaskGroup() as tasks:
            asking: set[asyncio.Task[None]] = set()
            while asking or self._queues:
                if self._queues and len(asking) < self._at_once:
                    task = tasks.create_task(self._ask(self._next(), progress))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
                    await asyncio.sleep(self._pause)
                else:
                    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        return self.graph

    def _next(self) -> bytes:
        """Take the next key, of the queue whose turn it is."""
        source, queue = self._queues.popitem(last=False)
        key = queue.popleft()
        if queue:
            self._queues[source] = queue
        return key

    def _told(self, source: bytes, peers: list[bytes]) -> None:
        new = list(dict.fromkeys(key for key in peers if len(key) == 32 and key not in self.graph.nodes))
        room = max(0, min(MOST_PEERS, self._most - len(self.graph.nodes)))
        self.graph.left_out += len(new[room:])
        for key in new[:room]:
            self.graph.nodes[key] = NodeRecord(key)
        if new[:room]:
            self._queues[source] = deque(new[:room])

    async def _ask(self, key: bytes, progress: Callable[[int, int], object]) -> None:
        node = self.graph.nodes[key]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            peers = await self._source.remote_peers(key, timeout=self._timeout)
        except (YggError, OSError) as error:
            node.error = str(error)
        else:
            node.peers, node.seconds = tuple(peers[:MOST_PEERS]), loop.time() - begun
            self._told(key, peers)
        self.asked += 1
        progress(self.asked, len(self.graph.nodes))
