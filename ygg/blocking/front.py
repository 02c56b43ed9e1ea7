"""BlockingNode: a node on a thread of its own, and the calls of `EmbeddedNode` as blocking ones."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network
from typing import Any, TypeVar

from ygg.blocking.datagram import BlockingDatagram
from ygg.blocking.runner import LoopThread
from ygg.blocking.server import BlockingServer, Handler
from ygg.blocking.stream import BlockingStream
from ygg.embed.identity import Identity
from ygg.embed.node import EmbeddedNode
from ygg.embed.opening import open_node
from ygg.node.events import QUEUE, Event
from ygg.node.state import PeerInfo, SelfInfo
from ygg.vtun import VTun
from ygg.vtun.addresses import Host

T = TypeVar("T")


class BlockingNode:
    """A running node, made by `ygg.blocking.node()`. Any thread may use it; every `timeout` is in seconds."""

    def __init__(self, thread: LoopThread, node: EmbeddedNode) -> None:
        self.thread = thread
        """The thread with the node's event loop."""
        self.node = node
        """The node with all its parts, for what there is no call here: to be used in the loop, by `run` and `call`."""
        self._servers: list[BlockingServer] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"

    @property
    def public_key(self) -> bytes:
        """The node's 32-byte public key."""
        return self.node.public_key

    @property
    def address(self) -> IPv6Address:
        """The node's address."""
        return self.node.address

    @property
    def subnet(self) -> IPv6Network:
        """The /64 that is routed to the node."""
        return self.node.subnet

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine in the node's loop, such as `node.node.core.node_info(key)`: see `LoopThread.run`."""
        return self.thread.run(work, timeout)

    @property
    def vtun(self) -> VTun:
        """The overlay as a network, whose event loop is the thread's: for `routed`, sockets and integrations."""
        return self.node.vtun

    # Peers

    def connected(self, timeout: float | None = None) -> PeerInfo:
        """Return a peer once one is up, as `Core.connected` does."""
        return self.run(self.node.connected(timeout))

    def peers(self) -> list[PeerInfo]:
        """Return every link there is, and every one that is to be redialed."""
        return self.thread.call(self.node.peers)

    def self_info(self) -> SelfInfo:
        """Return this node's place in the network."""
        return self.thread.call(self.node.self_info)

    def add_peer(self, url: str) -> None:
        """Stay connected to a peer, as `Core.add_peer` does."""
        self.thread.call(self.node.add_peer, url)

    def remove_peer(self, url: str) -> None:
        """End the link to a peer and redial it no more."""
        self.thread.call(self.node.remove_peer, url)

    def listen(self, url: str, timeout: float | None = None) -> str:
        """Accept links at `url`; return the URL with the host and port that it is bound to."""

        async def listen() -> str:
            return str((await self.node.listen(url)).url)

        return self.run(listen(), timeout)

    def events(self, *kinds: type[Event], limit: int = QUEUE, timeout: float | None = None) -> Iterator[Event]:
        """Yield what happens from now on, as `Core.events` does; TimeoutError after `timeout` seconds without any."""
        stream = self.thread.call(lambda: self.node.events(*kinds, limit=limit))

        async def following() -> Event | None:
            return await anext(stream, None)

        def events() -> Iterator[Event]:
            try:
                while (event := self.run(following(), timeout)) is not None:
                    yield event
            finally:
                if self.thread.running:
                    self.thread.call(stream.close)

        return events()

    # The overlay

    def ping(self, host: Host, timeout: float | None = 2.0) -> float:
        """Return the round-trip time to `host` in seconds, as `VTun.ping` does."""
        return self.run(self.node.ping(host, timeout))

    def open_connection(self, host: Host, port: int, timeout: float | None = None, **options: Any) -> BlockingStream:
        """Connect as `VTun.open_connection` does, with its options."""
        reader, writer = self.run(self.node.open_connection(host, port, timeout=timeout, **options))
        return BlockingStream(self.thread, reader, writer)

    def start_server(
        self, handler: Handler, port: int = 0, host: Host | None = None, *, most: int = 1000, **options: Any
    ) -> BlockingServer:
        """Call `handler(stream)` in a thread of its own for each connection to a port, for `most` of them at once.

        `options` are those of `VTun.start_server`. Close the result to end it; the node's end does so too.
        """
        server = BlockingServer(self.thread, handler, most)
        server.attach(self.run(self.node.start_server(server.connected, host, port, **options)))
        self._servers.append(server)
        return server

    def open_datagram(
        self, local_host: Host | None = None, local_port: int = 0, *, remote_addr: tuple[Host, int] | None = None
    ) -> BlockingDatagram:
        """Open a UDP socket as `VTun.open_datagram` does."""
        socket = self.run(self.node.open_datagram(local_host, local_port, remote_addr=remote_addr))
        return BlockingDatagram(self.thread, socket)

    def close(self) -> None:
        """Close servers and node. Idempotent; does nothing in a child process."""
        for server in self._servers:
            server.close()
        if self.thread.running:
            self.run(self.node.close())


@contextmanager
def node(identity: Identity = None, **arguments: Any) -> Iterator[BlockingNode]:
    """Open a node in a thread of its own: `with ygg.blocking.node("node.key", peers=["tls://…"]) as node: …`.

    The arguments are those of `ygg.open_node`, and so are the errors. At the end the node is closed and the thread has
    ended, also after Ctrl-C. The node does not survive a fork: open it in the child.
    """
    with LoopThread("ygg node") as thread:

        async def opened() -> EmbeddedNode:
            return await open_node(identity, **arguments)

        running = BlockingNode(thread, thread.run(opened()))
        try:
            yield running
        finally:
            running.close()
