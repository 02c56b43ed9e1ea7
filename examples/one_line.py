"""Two nodes in one line each: identities in files, a link, a connection, and whose it is."""

import asyncio
import tempfile
from pathlib import Path

import ygg


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    key = writer.get_extra_info("public_key")            # of the node at the other end
    writer.write(f"hello, {ygg.address_of(key)}\n".encode())
    writer.close()


async def main(folder: Path) -> None:
    async with ygg.open_node(folder / "server.key", listen=["tls://127.0.0.1:0"]) as server:
        await server.start_server(greet, port=7)
        url = str(server.core.listeners[0].url)
        async with ygg.open_node(folder / "client.key", peers=[url]) as client:
            await client.connected(timeout=30)
            reader, writer = await client.open_connection(server.public_key, 7, timeout=30)
            print("greeted by name:", await reader.readline() == f"hello, {client.address}\n".encode())
            writer.close()
        first = client.address
        async with ygg.open_node(folder / "client.key") as again:
            print("the same address again:", again.address == first)
    with ygg.blocking.node(folder / "client.key") as node:   # the same, where there is no event loop
        print("and without a loop:", node.address == first)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))
