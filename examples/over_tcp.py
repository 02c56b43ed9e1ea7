"""TCP on the overlay, through asyncio's streams."""

import asyncio

from two_nodes import two_nodes

from ygg import VTun


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,            # gateway + adapter + VTun in one step
        VTun.over(client_node) as client,
        await server.start_server(handle, port=8080),
    ):
        reader, writer = await client.open_connection(str(server_node.address), 8080)
        for word in ("hello", "overlay"):
            writer.write(f"{word}\n".encode())
            print((await reader.readline()).decode().strip())
        writer.write_eof()
        print("end of stream:", await reader.read() == b"")
        writer.close()


if __name__ == "__main__":
    asyncio.run(main())
