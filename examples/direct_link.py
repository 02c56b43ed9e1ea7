"""Direct links: three nodes in a row, of which the outer two become neighbours while they talk to each other.

Everything happens on this machine, so 127.0.0.0/8 is allowed; between machines in the internet leave out `networks`.
"""

import asyncio

from ygg import Config, Core, Jumper, JumperConfig, NativeNetwork, TCPTransport, TLSTransport, TransportManager, VTun


def node(network: NativeNetwork) -> Core:
    """Return a node with an identity of its own."""
    config = Config.generate()
    manager = TransportManager(network)
    manager.register(TCPTransport())
    manager.register(TLSTransport(config.certificate))
    return Core(config.certificate, manager)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes."""
    writer.write(await reader.read())
    writer.close()


async def talk(vtun: VTun, server: Core) -> None:
    """Have something echoed."""
    reader, writer = await vtun.open_connection(server.address, 7)
    writer.write(bytes(100_000))
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def main() -> None:
    config = JumperConfig(networks=["127.0.0.0/8"], interval=0.1, margin=100)
    async with NativeNetwork() as network, node(network) as client, node(network) as between, node(network) as server:
        listener = await between.listen("tls://127.0.0.1:0")
        await client.call_peer(f"tls://{listener.address}")
        await server.call_peer(f"tls://{listener.address}")
        await server.listen("tls://127.0.0.1:0")
        async with VTun.over(client) as near, VTun.over(server) as far, await far.start_server(echo, port=7):
            print(f"neighbours: {len(client.peers())}")
            async with Jumper(server, config), Jumper(client, config) as jumper:
                while not jumper.links:
                    await talk(near, server)
                print(f"neighbours: {len(client.peers())}, one of them at {jumper.links[0].url}")
            print(f"neighbours: {len(client.peers())}")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), timeout=60))
