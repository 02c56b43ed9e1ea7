"""asyncio's streams over a network."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ygg.errors import ListenerClosed
from ygg.network.base import DIAL_TIMEOUT, Listener, Network
from ygg.stream.held import take_over

logger = logging.getLogger("ygg.network")

LIMIT = 64 * 1024
"""Bytes a reader holds before it stops reading: half of what it may hold at most."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What serves one connection."""


def streams(transport: asyncio.Transport, limit: int = LIMIT) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Take a held connection over with a reader and a writer."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit, loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    take_over(transport, protocol)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def open_connection(
    network: Network, host: str, port: int, *, timeout: float = DIAL_TIMEOUT
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Dial through `network`, as `asyncio.open_connection()` does through the system's."""
    return streams(await network.connect_stream(host, port, timeout=timeout))


@asynccontextmanager
async def serving(network: Network, handler: Handler, host: str, port: int = 0) -> AsyncIterator[Listener]:
    """Serve each connection with `handler(reader, writer)`, which is cancelled when the block ends."""
    listener = await network.listen_stream(host, port)
    tasks: set[asyncio.Task[None]] = set()

    async def serve() -> None:
        try:
            while True:
                transport, remote = await listener.accept()
                task = asyncio.get_running_loop().create_task(_handle(handler, transport, remote))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except ListenerClosed:
            pass

    server = asyncio.get_running_loop().create_task(serve())
    try:
        yield listener
    finally:
        listener.close()
        await listener.wait_closed()
        await server
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _handle(handler: Handler, transport: asyncio.Transport, remote: str) -> None:
    reader, writer = streams(transport)
    try:
        await handler(reader, writer)
    except OSError as error:
        logger.debug("connection from %s: %s", remote, error)
    finally:
        writer.close()
        # The handler has ended: the loss of the connection cannot be raised to it.
        try:
            await writer.wait_closed()
        except OSError:
            pass
