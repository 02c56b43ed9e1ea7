"""Two nodes in one process, peered over TCP. The other examples build on `two_nodes()`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ygg import Config, Core, NativeNetwork, TCPTransport, TransportManager


@asynccontextmanager
async def new_node() -> AsyncIterator[Core]:
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with Core(Config.generate().certificate, manager) as node:
            yield node


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[Core, Core]]:
    """Yield (server, client), already peered."""
    async with new_node() as server, new_node() as client:
        listener = await server.listen("tcp://127.0.0.1:0")
        await client.call_peer(f"tcp://{listener.address}")     # one attempt, raises on failure
        yield server, client


async def main() -> None:
    async with two_nodes() as (server, client):
        for peer in client.peers():
            print("connected to the server:", peer.key == server.public_key)
        # Peers to be kept up are added, not called: they come back after every loss, with growing pauses.
        client.add_peer("tcp://127.0.0.1:1?maxbackoff=5m")
        print("configured:", len(client.peers()))


if __name__ == "__main__":
    asyncio.run(main())
