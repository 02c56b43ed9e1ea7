"""A transport of one's own: it counts what goes through it and leaves the work to TCP."""

import asyncio

from ygg import Config, Core, NativeNetwork, TCPTransport, Transport, TransportManager


class MeteredTransport(Transport):
    schemes = ("metered+tcp",)

    def __init__(self, base: Transport) -> None:
        self.base, self.dials, self.listens = base, 0, 0

    async def dial(self, network, url, options):     # -> asyncio.Transport
        self.dials += 1
        return await self.base.dial(network, url.with_scheme("tcp"), options)

    async def listen(self, network, url, options):   # -> Listener
        self.listens += 1
        return await self.base.listen(network, url.with_scheme("tcp"), options)


async def main() -> None:
    metered = MeteredTransport(TCPTransport())
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(metered)
        async with (
            Core(Config.generate().certificate, manager) as server,
            Core(Config.generate().certificate, manager) as client,
        ):
            listener = await server.listen("metered+tcp://127.0.0.1:0")
            await client.call_peer(f"metered+tcp://{listener.address}")
            print("dials", metered.dials, "listens", metered.listens, "peers", len(client.peers()))


if __name__ == "__main__":
    asyncio.run(main())
