"""Peers found, not configured: a node that reads a public list and connects to nodes on it.

Everything happens on this machine: another node of this program is the public peer, and a web server of this program
serves the list, which is why it may name this machine. With the real lists, leave out `allow_local`:

    fetcher = PeerFetcher(["https://publicpeers.neilalexander.dev/publicnodes.json", BUILTIN], network=network)
"""

import asyncio
import json

from ygg import (
    AutoPeerConfig,
    AutoPeerManager,
    Config,
    Core,
    NativeNetwork,
    PeerFetcher,
    TCPTransport,
    TLSTransport,
    TransportManager,
)


def node(network: NativeNetwork) -> Core:
    """Return a node with an identity of its own."""
    config = Config.generate()
    manager = TransportManager(network)
    manager.register(TCPTransport())
    manager.register(TLSTransport(config.certificate))
    return Core(config.certificate, manager)


async def serve(document: bytes) -> asyncio.Server:
    """Serve one document by HTTP, whatever is asked for."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(document) + document)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


async def main() -> None:
    async with NativeNetwork() as network, node(network) as public, node(network) as ours:
        listener = await public.listen("tls://127.0.0.1:0")
        url = f"tls://{listener.address}?key={public.public_key.hex()}"
        web = await serve(json.dumps({"germany.md": {url: {"up": True, "proto_minor": 5}}}).encode())
        async with web:
            source = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}/publicnodes.json"
            fetcher = PeerFetcher([source], network=network, allow_local=True)
            config = AutoPeerConfig(countries=["Germany"], schemes=["tcp", "tls"], minimum_connected=1)
            async with AutoPeerManager(fetcher, ours, config):
                while not (found := [peer for peer in ours.peers() if peer.up]):
                    await asyncio.sleep(0.01)
            print(f"peers in the list: {len(fetcher.peers)}")
            print(f"connected to {found[0].address} at {found[0].url}")


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), timeout=30))
