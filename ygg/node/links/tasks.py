"""The tasks of a node's links: kept while they run, so that they can be ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """Those that are under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: dict[asyncio.Task[Any], None] = {}  # the oldest first

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task whose failure is raised where it is awaited."""
        task = self._loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda task: self._tasks.pop(task, None))
        return task

    def start_alone(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is not awaited: the event loop's handler is told if it fails."""
        task = self.start(work)
        task.add_done_callback(self._tell)
        return task

    def cancel(self) -> list[asyncio.Task[Any]]:
        """Cancel all; return them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return tasks

    def _tell(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a task of ygg.node.links failed", "exception": error})
