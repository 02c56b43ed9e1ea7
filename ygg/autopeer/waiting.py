"""Calls of the system that may never return, such as reading a file of a server that is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class DaemonCall(Generic[T]):
    """Runs `function` in a daemon thread of its own: await it, or stop awaiting it; nothing waits for the thread.

    asyncio's own threads would hold up the end of the loop and of the interpreter for as long as the call takes.
    """

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.is_running = True
        """Whether the call has not returned, whether awaited or not. The thread may outlive it by a moment."""
        threading.Thread(target=self._run, name=f"ygg {name}", daemon=True).start()

    def __await__(self) -> Generator[Any, None, T]:
        return self._future.__await__()

    def _run(self) -> None:
        settle: tuple[Callable[[Any], None], Any]
        try:
            settle = self._future.set_result, self._function()
        except Exception as error:
            settle = self._future.set_exception, error
        self.is_running = False
        with suppress(RuntimeError):  # the loop has closed
            self._future.get_loop().call_soon_threadsafe(self._settle, *settle)

    def _settle(self, settle: Callable[[Any], None], outcome: Any) -> None:
        if not self._future.done():
            settle(outcome)
