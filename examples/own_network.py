"""A network of one's own: it counts connections, allows three at a time, and passes the checks every network must."""

import asyncio

from ygg import Config, Core, NativeNetwork, TCPTransport, TransportManager
from ygg.errors import ConnectionRefused
from ygg.network import WrapperNetwork
from ygg.network.conformance import CHECKS, Subject


class LimitedNetwork(WrapperNetwork):
    def __init__(self, base, most):
        super().__init__(base)
        self.most, self.seen, self.open = most, 0, set()

    def passing(self, transport, remote):            # each connection, dialed or accepted
        self.seen += 1
        self.open = {one for one in self.open if not one.is_closing()}
        if len(self.open) >= self.most:
            raise ConnectionRefused(f"{remote} is one too many")
        self.open.add(transport)


async def main() -> None:
    async with LimitedNetwork(NativeNetwork(), 1000) as network:
        for check in CHECKS:
            await check(Subject(network, "127.0.0.1"))
        print("passed", len(CHECKS), "checks")

    async with LimitedNetwork(NativeNetwork(), 3) as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with (
            Core(Config.generate().certificate, manager) as server,
            Core(Config.generate().certificate, manager) as client,
            Core(Config.generate().certificate, manager) as other,
        ):
            listener = await server.listen("tcp://127.0.0.1:0")
            await client.call_peer(str(listener.url))
            print("both ends seen:", network.seen)
            try:
                await other.call_peer(str(listener.url))
            except OSError as error:
                print("the next:", error)


if __name__ == "__main__":
    asyncio.run(main())
