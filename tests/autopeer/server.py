"""A web server for the tests of fetching: it answers each path with the bytes it was given, over any network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ygg.network import Listener, Network, take_over

Answer = bytes | Callable[[dict[str, str]], bytes] | None
"""What to send, or what makes it from the request's headers; None sends nothing and keeps the connection open."""


def ok(body: bytes, *headers: str) -> bytes:
    """Return a good answer."""
    return response(200, f"Content-Length: {len(body)}", *headers) + body


def response(status: int, *headers: str) -> bytes:
    """Return an answer without a body; the connection ends with it."""
    return "\r\n".join([f"HTTP/1.1 {status} X", "Connection: close", *headers, "", ""]).encode()


@dataclass
class Server:
    """What it answers, and what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split()[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            self.asked.append((path, headers))
            answer = self.answers.get(path, response(404, "Content-Length: 0"))
            if callable(answer):
                answer = answer(headers)
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(network: Network, host: str, port: int) -> AsyncIterator[Server]:
    """Serve at an address of a network while entered."""
    server = Server()
    listener = await network.listen_stream(host, port)
    task = asyncio.create_task(_accept(listener, server))
    try:
        yield server
    finally:
        listener.close()
        task.cancel()
        await asyncio.wait([task])


async def _accept(listener: Listener, server: Server) -> None:
    async with asyncio.TaskGroup() as group:
        while True:
            transport, _ = await listener.accept()
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            take_over(transport, protocol)
            writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
            group.create_task(server.serve(reader, writer))
