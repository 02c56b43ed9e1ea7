"""Documents on the file system: ordinary files only, and no more of one than is asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ygg.autopeer.documents import DocumentError


def read_file(path: Path, limit: int) -> bytes:
    """Return what a file holds. Raises `OSError`, and `DocumentError` for more than `limit` bytes or for no file."""
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise DocumentError("not a file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DocumentError(f"larger than {limit} bytes")
    return data


def _at_once(path: str, flags: int) -> int:
    # Opening a pipe would otherwise wait for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
