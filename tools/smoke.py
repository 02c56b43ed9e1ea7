"""Two nodes of the installed ygg speak: a ping, and a megabyte there and back.

Run by tools/wheels where a wheel is installed, with what it requires and nothing else.
"""

import asyncio
import platform

import ygg

SIZE = 1 << 20


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes."""
    writer.write(await reader.readexactly(SIZE))
    await writer.drain()
    writer.close()


async def main() -> None:
    """Link two nodes over loopback, and have them speak."""
    content = bytes(range(256)) * (SIZE // 256)
    async with ygg.open_node(listen=["tls://127.0.0.1:0"]) as server:
        await server.start_server(echo, port=7)
        async with ygg.open_node(peers=[str(server.core.listeners[0].url)]) as client:
            await client.connected(timeout=120)
            assert await client.ping(str(server.address)) >= 0
            reader, writer = await client.open_connection(server.public_key, 7, timeout=120)
            writer.write(content)
            assert await reader.readexactly(SIZE) == content
            writer.close()


asyncio.run(main())
print(f"two nodes have spoken: ygg {ygg.__version__}, Python {platform.python_version()}, {platform.machine()}")
