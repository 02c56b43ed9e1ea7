"""A node in a process of its own, for the measurements that need one: `python -m benchmarks.process MTU`."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from remote import Remote, obey

from . import bulk
from .nodes import Member, member, reach


class Worker:
    """What the node can be told to do."""

    def __init__(self, node: Member) -> None:
        self._node = node
        self._sink = bulk.Sink()
        self._source = bulk.Source()

    async def listen(self) -> str:
        """Accept peers; return the URL."""
        return f"tcp://{(await self._node.core.listen('tcp://127.0.0.1:0')).address}"

    async def call(self, url: str) -> None:
        """Connect to a peer."""
        await self._node.core.call_peer(url)

    async def sink(self) -> tuple[str, int]:
        """Start counting what comes; return where to."""
        server = await self._node.vtun.create_server(lambda: self._sink, port=0)
        return self._node.host, server.sockets[0].getsockname()[1]

    async def source(self, host: str, port: int) -> None:
        """Start sending without end."""
        await reach(self._node, host)
        await self._node.vtun.create_connection(lambda: self._source, host, port)

    async def stop(self) -> None:
        """Stop sending."""
        self._source.stop()

    async def sample(self) -> dict[str, float]:
        """Return the bytes counted and the CPU seconds used so far."""
        return bulk.sample(self._sink.count)


@contextlib.contextmanager
def node_process(mtu: int) -> Iterator[Remote]:
    """Run a node in another process."""
    with tempfile.TemporaryDirectory() as folder:
        remote = Remote("benchmarks.process", str(mtu), log=Path(folder, "log"))
        try:
            yield remote
        finally:
            remote.stop()


async def main(mtu: int) -> None:
    """Run a node until the input ends."""
    async with member(mtu) as node:
        await obey(Worker(node))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
