"""ygg.apps.serving: servers whose connections end with them."""

import asyncio

from tests.aio import on_loops
from tests.apps.pair import two
from ygg.apps.serving import serving


@on_loops
async def test_connections_end_with_their_handler_and_with_the_server() -> None:
    begun: list[str] = []
    ended: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        begun.append(line)
        try:
            if line != "end\n":
                writer.write(b"stays\n")
                await reader.read()
        finally:
            ended.append(line)

    async with two() as nodes:
        async with serving(nodes.a, 7, 1000, handler):
            reader, writer = await nodes.b.open_connection(nodes.a.public_key, 7, timeout=30)
            writer.write(b"end\n")
            assert await reader.read() == b""
            writer.close()
            reader, writer = await nodes.b.open_connection(nodes.a.public_key, 7, timeout=30)
            writer.write(b"stay\n")
            assert await reader.readline() == b"stays\n"
        assert begun == ended == ["end\n", "stay\n"]
        assert await reader.read() == b""
        writer.close()
