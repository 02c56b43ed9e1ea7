"""A connection of the overlay as a blocking program reads and writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Self

from ygg.blocking.runner import LoopThread


class BlockingStream:
    """One TCP connection. Any thread may use it, one at a time for each direction.

    Every `timeout` is in seconds, None waits; a read that raises TimeoutError has taken nothing.
    """

    def __init__(self, thread: LoopThread, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._thread = thread
        self._reader = reader
        self._writer = writer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield lines until the end."""
        while line := self.readline():
            yield line

    @property
    def public_key(self) -> bytes | None:
        """The 32-byte key of the node at the other end."""
        key: bytes | None = self.get_extra_info("public_key")
        return key

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As `asyncio.StreamWriter.get_extra_info`: `peername`, `sockname`, `public_key`, `tcp_info` and others."""
        return self._writer.get_extra_info(name, default)

    def read(self, size: int = -1, timeout: float | None = None) -> bytes:
        """Return up to `size` bytes as soon as there are any, all up to the end with -1; none at the end."""
        return self._thread.run(self._reader.read(size), timeout)

    def readline(self, timeout: float | None = None) -> bytes:
        """Return a line with its end, what is left without one, or nothing at the end."""
        return self._thread.run(self._reader.readline(), timeout)

    def readexactly(self, size: int, timeout: float | None = None) -> bytes:
        """Return `size` bytes; `asyncio.IncompleteReadError` when there are not as many."""
        return self._thread.run(self._reader.readexactly(size), timeout)

    def readuntil(self, separator: bytes = b"\n", timeout: float | None = None) -> bytes:
        """Return what comes up to `separator` and with it; `asyncio.IncompleteReadError` when it does not come."""
        return self._thread.run(self._reader.readuntil(separator), timeout)

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """Send `data`; return when all but a bounded part has left, so that a slow reader slows the writer down."""

        async def write() -> None:
            self._writer.write(data)
            await self._writer.drain()

        self._thread.run(write(), timeout)

    def write_eof(self) -> None:
        """Send no more; what the other side sends can still be read."""
        self._thread.call(self._writer.write_eof)

    def close(self, timeout: float | None = None) -> None:
        """Close the connection; what was written is still delivered. Does nothing once the node is closed."""

        async def close() -> None:
            self._writer.close()
            try:
                await self._writer.wait_closed()
            except OSError:
                pass  # it has ended in another way before

        if self._thread.running:
            self._thread.run(close(), timeout)

    def abort(self) -> None:
        """Reset the connection at once."""
        if self._thread.running:
            self._thread.call(self._writer.transport.abort)
