"""A node: a new identity, TCP and TLS over the operating system's network, and an address on the overlay."""

import asyncio

from ygg import Config, Core, NativeNetwork, TCPTransport, TLSTransport, TransportManager


async def main() -> None:
    config = Config.generate()                       # a new identity
    async with NativeNetwork() as network:           # the operating system's network
        manager = TransportManager(network)
        manager.register(TCPTransport())
        manager.register(TLSTransport(config.certificate))
        async with Core(config.certificate, manager) as node:
            print("address", node.address)           # an ipaddress.IPv6Address in 200::/7
            print("subnet", node.subnet)             # an ipaddress.IPv6Network, a /64 in 300::/8


if __name__ == "__main__":
    asyncio.run(main())
