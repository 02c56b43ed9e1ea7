"""ClockFile: the clock of a node kept over restarts, for machines whose own is set back.

Other nodes take a handshake only when it was made in a later second than the last they had from us. A node that starts
with its clock set back (a machine without a clock of its own that lost power) is refused until they have forgotten it,
a minute after they last heard of it. So the second that the node's clock has come to is kept in a small file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from pathlib import Path
from typing import Self

from ygg import wholefile
from ygg_c.node.node import Node

INTERVAL = 600
"""Seconds between two writes. What is written is ahead by as much, so that after a crash no second comes again."""
MOST = 1 << 33
"""No file tells a later second than the one before."""

log = logging.getLogger("ygg.daemon")


class ClockFile:
    """Sets a node's clock to what a file says, if that is later, and keeps the file; an async context manager.

    A file that cannot be read counts for nothing; one that cannot be written is logged, once.
    """

    def __init__(self, path: Path, node: Node) -> None:
        """Name the file, which need not exist."""
        self.path = path
        """The file."""
        self._node = node
        self._task: asyncio.Task[None] | None = None
        self._failed = False
        self._writing = threading.Lock()

    async def __aenter__(self) -> Self:
        self._node.go_on_from(self.read())
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.write(self._node.wall + 1)

    def read(self) -> int:
        """Return the unix second that no handshake has reached, or 0."""
        try:
            text = self.path.read_bytes()[:32].strip()
        except OSError:
            return 0
        return int(text) if text.isdigit() and int(text) < MOST else 0

    def write(self, second: int) -> None:
        """Replace the file at once or not at all, even if power is lost meanwhile; only its owner can read it."""
        try:
            with self._writing:
                wholefile.replace(self.path, f"{second}\n".encode())
        except OSError as error:
            if not self._failed:
                log.warning("The clock cannot be kept in %s: %s", self.path, error.strerror or error)
            self._failed = True

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(0.1)  # the node's first turn tells it the time
            # A disk may take a second, for which links should not wait.
            await asyncio.to_thread(self.write, self._node.wall + INTERVAL)
            await asyncio.sleep(INTERVAL)
