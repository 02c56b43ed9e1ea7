"""An ASGI application served by hypercorn, and a client by httpx2."""

import asyncio
from typing import Any

import httpx2
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.httpx2 import YggTransport
from ygg.integrations.hypercorn import serve


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tell the caller the address that it comes from."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
        serve(app, server, port=80),
        httpx2.AsyncClient(transport=YggTransport(client)) as http,
    ):
        answer = await http.get(f"http://[{server_node.address}]/")
        print(answer.status_code, answer.text == str(client_node.address))


if __name__ == "__main__":
    asyncio.run(main())
