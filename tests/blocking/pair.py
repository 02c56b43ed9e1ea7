"""Two blocking nodes that are connected."""

from collections.abc import Iterator
from contextlib import contextmanager

from ygg import blocking
from ygg.blocking import BlockingNode
from ygg.testing import private_key


@contextmanager
def pair() -> Iterator[tuple[BlockingNode, BlockingNode]]:
    with blocking.node(private_key(1), listen=["tcp://127.0.0.1:0"]) as server:
        url = str(server.node.core.listeners[0].url)
        with blocking.node(private_key(2), peers=[url]) as client:
            client.connected(30)
            server.connected(30)
            yield server, client
