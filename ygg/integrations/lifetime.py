"""A body that runs no longer than a server does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def while_running(task: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Run the body; when `task` ends first the body is cancelled, and the program goes on after it."""
    over = asyncio.timeout(None)

    def end(_: object) -> None:
        with suppress(RuntimeError):  # the body has ended
            over.reschedule(0)

    try:
        async with over:
            task.add_done_callback(end)
            yield
    except TimeoutError:
        if not over.expired():
            raise
    finally:
        task.remove_done_callback(end)
