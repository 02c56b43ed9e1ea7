"""A user's program, for type checkers: tools/wheels has mypy and pyright look at it, both at their strictest."""

import asyncio
from ipaddress import IPv6Address

import ygg


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a line back."""
    writer.write(await reader.readline())
    writer.close()


async def main() -> None:
    """Use what most programs do."""
    peers: list[str] = ["tls://[::1]:443"]
    async with ygg.open_node("node.key", peers=peers, listen=["tcp://127.0.0.1:0"]) as node:
        await node.connected(timeout=30)
        address: IPv6Address = node.address
        key: bytes = node.public_key
        server = await node.start_server(answer, port=8080)
        reader, writer = await node.open_connection(key, 8080, timeout=10)
        line: bytes = await reader.readline()
        seconds: float = await node.ping(str(address))
        print(len(line), seconds, ygg.address_of(key) == address)
        writer.close()
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
