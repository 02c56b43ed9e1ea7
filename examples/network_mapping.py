"""Networks by host: which network reaches which host, decided by pattern and changed while the node runs."""

import asyncio

from ygg import Config, Core, LoopbackNetwork, TCPTransport, TransportManager
from ygg.errors import BlockedHostError, UnmappedHostError


async def main() -> None:
    manager = TransportManager()                     # nothing is reachable until it is mapped
    manager.register(TCPTransport())
    async with (
        LoopbackNetwork() as loopback,
        Core(Config.generate().certificate, manager) as server,
        Core(Config.generate().certificate, manager) as client,
    ):
        try:
            await client.call_peer("tcp://127.0.0.1:9001")
        except UnmappedHostError as error:
            print("unmapped:", error)

        manager.map_network("127.0.0.1", loopback)   # from now on this host lives inside the process
        manager.map_network("*.loki", None)          # and these are blocked
        listener = await server.listen("tcp://127.0.0.1:0")
        await client.call_peer(f"tcp://{listener.address}")
        print("mapped:", len(client.peers()), "peer")

        try:
            await client.call_peer("tcp://exit.loki:9001")
        except BlockedHostError as error:
            print("blocked:", error)

        manager.unmap_network("127.0.0.1")           # live: what no longer fits is closed
        async with asyncio.timeout(10):
            while client.peers():
                await asyncio.sleep(0.01)
        print("unmapped:", len(client.peers()), "peers")


if __name__ == "__main__":
    asyncio.run(main())
