"""websockets at both ends of the overlay, each by a VTun of its own."""

import asyncio

import websockets
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.websockets import connect, serve


async def shout(socket: websockets.ServerConnection) -> None:
    async for message in socket:
        await socket.send(str(message).upper())


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
        serve(server, shout, port=80),
        connect(client, f"ws://[{server_node.address}]/") as socket,
    ):
        await socket.send("hello")
        print(await socket.recv())


if __name__ == "__main__":
    asyncio.run(main())
