"""anyio's streams and listeners over the overlay."""

import asyncio

from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.anyio import connect_tcp, create_tcp_listener


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
        await create_tcp_listener(server, local_port=7) as listener,
        await connect_tcp(client, server_node.address, 7) as stream,
        await listener.accept() as accepted,
    ):
        await stream.send(b"hello")
        print((await accepted.receive()).decode())


if __name__ == "__main__":
    asyncio.run(main())
