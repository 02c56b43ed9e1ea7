"""A way to the victim that takes its time: what arrives at one end leaves at the other a little later, both ways."""

import asyncio
from contextlib import suppress


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await reader.read(65536):
            loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def distant(port: int, delay: float) -> int:
    """Return a port of this machine that leads to another one, `delay` seconds away."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, far_writer, delay), _carry(far_reader, writer, delay))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    asyncio.get_running_loop().create_task(server.serve_forever())
    return int(server.sockets[0].getsockname()[1])
