"""A file that is written now and then while something goes on: what captures and traces have in common."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import BinaryIO, Self

Target = str | os.PathLike[str] | BinaryIO
"""A path, or a file open for writing bytes."""

logger = logging.getLogger("ygg.vtun")


class Recording:
    """Writes to a file until it is closed; `with` closes it at the end.

    It ends by itself when its VTun closes, and when the file cannot be written: `error` says why.
    """

    def __init__(self, target: Target, interval: float) -> None:
        """Write to `target`, and have `flush` called every `interval` seconds."""
        self._loop = asyncio.get_running_loop()
        self._owned = isinstance(target, str | os.PathLike)
        self._file = Path(target).open("wb") if isinstance(target, str | os.PathLike) else target  # noqa: SIM115
        self._interval = interval
        self.closed = False
        """Whether it has ended."""
        self.error: OSError | None = None
        """Why it ended before its time; None: it has not."""
        self._timer = self._loop.call_later(interval, self._tick)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def flush(self) -> None:
        """Write what there is now."""
        raise NotImplementedError

    def close(self) -> None:
        """Write the rest and end. A file that was given open stays open. Idempotent."""
        if not self.closed:
            self.flush()
            self._last()
            self._end()

    def _tick(self) -> None:
        self.flush()
        if not self.closed:
            self._timer = self._loop.call_later(self._interval, self._tick)

    def _last(self) -> None:
        """Write what closes the file."""

    def _write(self, data: bytes) -> None:
        if self.closed:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            logger.warning("Recording ended: %s", error)
            self.error = error.with_traceback(None)  # its frames refer to us
            self._end()

    def _end(self) -> None:
        self.closed = True
        self._timer.cancel()
        try:
            if self._owned:
                self._file.close()
        except OSError as error:
            self.error = self.error or error.with_traceback(None)
