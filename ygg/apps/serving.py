"""A server whose connections end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from ygg.apps.messages import OPTIONS

if TYPE_CHECKING:
    from ygg.embed.node import EmbeddedNode

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Speaks on a connection; to close it is not its part."""


STRANGERS = 8
"""Connections that have not said yet what they must, at once."""


class Strangers:
    """Limits how many connections wait for what the other side must say first: one too many ends the oldest.

    So strangers that say nothing keep those that speak at once out only where they come faster than an answer does.
    """

    def __init__(self, most: int = STRANGERS) -> None:
        self._most = most
        self._tasks: dict[asyncio.Task[object], None] = {}

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have the present task be one of them during the body; it is cancelled there where too many came after it."""
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= self._most:
            oldest = next(iter(self._tasks))
            del self._tasks[oldest]
            oldest.cancel()
        self._tasks[task] = None
        try:
            yield
        finally:
            self._tasks.pop(task, None)


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
