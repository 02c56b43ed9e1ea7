"""A network of one's own: it allows three connections at a time, counts their bytes, and passes the checks."""

import asyncio

from ygg import Config, Core, NativeNetwork, TCPTransport, TransportManager
from ygg.errors import ConnectionRefused
from ygg.network import WrapperNetwork, WrapperTransport
from ygg.testing.conformance import CHECKS, Subject


class LimitedNetwork(WrapperNetwork):
    def __init__(self, base, most):
        super().__init__(base)
        self.most, self.seen, self.open, self.bytes = most, 0, set(), 0

    def passing(self, transport, remote):            # each connection, dialed or accepted
        self.seen += 1
        self.open = {one for one in self.open if not one.is_closing()}
        if len(self.open) >= self.most:
            raise ConnectionRefused(f"{remote} is one too many")
        self.open.add(transport)
        return MeteredConnection(transport, self)    # takes its place


class MeteredConnection(WrapperTransport):
    def __init__(self, base, network):
        super().__init__(base)
        self.network = network

    def incoming(self, data):
        self.network.bytes += len(data)
        return data                                  # what is delivered in its place

    def outgoing(self, data):
        self.network.bytes += len(data)
        return data


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
            print("bytes seen:", network.bytes)
            try:
                await other.call_peer(str(listener.url))
            except OSError as error:
                print("the next:", error)


if __name__ == "__main__":
    asyncio.run(main())
