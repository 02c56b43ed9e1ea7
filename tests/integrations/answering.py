"""What tests of several libraries ask: a small ASGI application, TLS contexts, and a forward to a local server."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

from ygg.identity.certificate import Certificate
from ygg.stream.tls.contexts import client_context, server_context
from ygg.vtun import VTun

SERVER = server_context(Certificate.generate())
CLIENT = client_context()


def server_tls(*protocols: str) -> ssl.SSLContext:
    """Return a context of a server that speaks these protocols (ALPN)."""
    context = server_context(Certificate.generate())
    context.set_alpn_protocols(list(protocols))
    return context


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request with the caller's address, its HTTP version and the size of its body; WebSockets with echoes."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await _echo(receive, send)
    else:
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        text = f"{scope['client'][0]} {scope['http_version']} {scope['path']} {size}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
        await send({"type": "http.response.body", "body": text})


async def _lifespan(receive: Any, send: Any) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _echo(receive: Any, send: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"].upper()})


@contextlib.asynccontextmanager
async def forwarded(vtun: VTun, port: int, *local: Any) -> AsyncIterator[None]:
    """Carry what comes to a port of `vtun` to a local server, which knows nothing of it: (host, port) or a path."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = asyncio.open_unix_connection if len(local) == 1 else asyncio.open_connection
        far_reader, far_writer = await there(*local)    # type: ignore[operator]
        with contextlib.suppress(OSError):
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    async with await vtun.start_server(accepted, port=port):
        yield
