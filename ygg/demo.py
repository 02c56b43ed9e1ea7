"""The demonstration: two nodes in one process, and TCP, UDP, HTTP and ping through their overlay addresses.

Run it with `python -m ygg.demo`; it needs the extra `http`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from ygg import Config, Core, NativeNetwork, TCPTransport, TLSTransport, TransportManager
from ygg.vtun import VTun

_Message = dict[str, Any]


@asynccontextmanager
async def node() -> AsyncIterator[Core]:
    """Run a node with a new identity over the operating system's network."""
    config = Config.generate()
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        manager.register(TLSTransport(config.certificate))
        async with Core(config.certificate, manager) as core:
            yield core


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[VTun, VTun]]:
    """Run a server and a client node, peered over TLS, with a VTun each."""
    async with node() as server, node() as client:
        listener = await server.listen("tls://127.0.0.1:0")
        await client.call_peer(f"tls://{listener.address}?key={server.public_key.hex()}")
        print(f"{client.address} is peered with {server.address}")
        async with VTun.over(server) as server_vtun, VTun.over(client) as client_vtun:
            yield server_vtun, client_vtun


async def tcp(server: VTun, client: VTun) -> str:
    """Send a word over TCP and return the echo."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()
        await writer.wait_closed()

    async with await server.start_server(echo, port=7):
        reader, writer = await client.open_connection(server.addresses[0], 7)
        writer.write(b"ping")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()


async def udp(server: VTun, client: VTun) -> str:
    """Send a word over UDP and return the echo."""
    async with await server.open_datagram(local_port=7) as service, await client.open_datagram() as socket:
        await socket.sendto(b"ping", (server.addresses[0], 7))
        await service.sendto(*await service.recvfrom())
        answer, _ = await socket.recvfrom()
        return answer.decode()


async def pong(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """An ASGI application that answers every request with a word."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"pong"})


async def http(server: VTun, client: VTun) -> str:
    """Fetch a page and return its text."""
    import httpx

    from ygg.integrations.asgi import serve
    from ygg.integrations.httpx import YggTransport

    async with (
        serve(pong, server, port=80, lifespan="off"),
        httpx.AsyncClient(transport=YggTransport(client)) as browser,
    ):
        return (await browser.get(f"http://[{server.addresses[0]}]/")).text


async def main() -> None:
    """Run it all and print one line for each part."""
    async with two_nodes() as (server, client):
        print(f"tcp:{await tcp(server, client)}")
        print(f"udp:{await udp(server, client)}")
        print(f"http:{await http(server, client)}")
        print(f"ping6: {await client.ping(server.addresses[0]) * 1000:.2f} ms")


if __name__ == "__main__":
    asyncio.run(main())
