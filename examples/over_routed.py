"""Libraries that know nothing of ygg: WebSockets between two nodes, by the event loop's own calls."""

import asyncio

import websockets
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.routed import routed


async def shout(socket: websockets.ServerConnection) -> None:
    async for message in socket:
        await socket.send(f"{socket.remote_address[0]} says {message!s}")


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
    ):
        with routed(server):                    # one line where it serves
            serving = await websockets.serve(shout, str(server_node.address), 80)
        with routed(client):                    # and one where it dials
            async with websockets.connect(f"ws://[{server_node.address}]/", proxy=None) as socket:
                await socket.send("hello")
                print(await socket.recv() == f"{client_node.address} says hello")
        serving.close()
        await serving.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
