"""Lines that a person types, without holding up the event loop or the end of the program."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator


class Keyboard:
    """Standard input, line by line, read in a thread of its own; an async iterator that ends with it."""

    def __init__(self) -> None:
        """Begin to read."""
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._ended = False
        self.over = asyncio.Event()
        """Set when standard input has ended and there is no line left; a person has no lines left when they end it."""
        # A daemon thread: it waits for a line that may never come, and must not keep the program from ending.
        threading.Thread(target=self._read, args=[asyncio.get_running_loop()], daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, ValueError):  # the loop is closed, or standard input is
            for line in sys.stdin:
                loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n"))
            loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._ended = True
        if sys.stdin.isatty() or self._lines.empty():
            self.over.set()
        self._lines.put_nowait(None)

    async def _next(self) -> str | None:
        """Return the next line; None at the end, however often."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
        if self._ended and self._lines.qsize() == 1:
            self.over.set()
        return line

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._next()) is not None:
            yield line

    async def agrees(self, question: str) -> bool:
        """Ask a question that is answered by y or n; the end of standard input is a no.

        What a person has typed before is no answer; a program may have written its answers before.
        """
        while sys.stdin.isatty() and not self._ended and not self._lines.empty():
            self._lines.get_nowait()
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return (await self._next() or "").strip().lower() in ("y", "yes")
