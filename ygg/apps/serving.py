"""A server whose connections end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ygg.apps.messages import OPTIONS

if TYPE_CHECKING:
    from ygg.embed.node import EmbeddedNode

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Speaks on a connection; to close it is not its part."""


@asynccontextmanager
async def serving(node: EmbeddedNode, port: int, limit: int, handler: Handler) -> AsyncIterator[None]:
    """Have `handler` speak on each connection to a port of the node, as a task, while the body runs.

    A connection is closed when its handler returns. At the end handlers are cancelled, and waited for.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Python 3.11 complains of a handler that it began itself and that was cancelled.
        task = asyncio.get_running_loop().create_task(speak(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await node.start_server(begin, port=port, limit=limit, **OPTIONS)
    try:
        yield
    finally:
        server.close()
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await server.wait_closed()
