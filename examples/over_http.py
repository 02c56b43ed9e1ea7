"""HTTP on the overlay: an ASGI application served on one node, fetched with httpx from the other."""

import asyncio

import httpx
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.asgi import serve
from ygg.integrations.httpx import YggTransport


async def app(scope, receive, send):                 # any ASGI application: Starlette, FastAPI, Django …
    if scope["type"] == "http":
        body = f"hello {scope['client'][0]}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
        serve(app, server, port=80, lifespan="off"),
        httpx.AsyncClient(transport=YggTransport(client)) as http,
    ):
        response = await http.get(f"http://[{server_node.address}]/")
        print(response.status_code, response.text == f"hello {client_node.address}")


if __name__ == "__main__":
    asyncio.run(main())
