"""aiohttp at both ends of the overlay: a site, and a session that reaches it."""

import asyncio

import aiohttp
from aiohttp import web
from two_nodes import two_nodes

from ygg import VTun
from ygg.integrations.aiohttp import OverlayConnector, OverlaySite


async def greet(request: web.Request) -> web.Response:
    return web.Response(text=f"hello, {request.remote}")


async def main() -> None:
    async with (
        two_nodes() as (server_node, client_node),
        VTun.over(server_node) as server,
        VTun.over(client_node) as client,
    ):
        application = web.Application()
        application.add_routes([web.get("/", greet)])
        runner = web.AppRunner(application)
        await runner.setup()
        await OverlaySite(runner, server, port=80).start()
        async with (
            aiohttp.ClientSession(connector=OverlayConnector(client)) as session,
            session.get(f"http://[{server_node.address}]/") as answer,
        ):
            print(answer.status, await answer.text() == f"hello, {client_node.address}")
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
