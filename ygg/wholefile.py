"""Files that are there whole or not at all: a full disk leaves what was there before, or nothing."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Put a file with `content` in place of the file at `path`, if any; only its owner can read it.

    Links are followed, and stay. What is no file (a pipe, a terminal) is written to as it is.
    """
    if _is_special(path):
        path.write_bytes(content)
        return
    target = path.resolve()
    with _written(target, content) as temporary:
        os.replace(temporary, target)


def create(path: Path, content: bytes) -> None:
    """Make a file with `content` that only its owner can read. Raises `FileExistsError` where there is anything."""
    if os.path.lexists(path):
        raise FileExistsError(path)
    with _written(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # file systems without links: what comes to be there in this moment is lost
            os.replace(temporary, path)


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _written(path: Path, content: bytes) -> Iterator[str]:
    """Yield the name of a file beside `path` that holds `content`, on the disk; it is gone afterwards."""
    # mkstemp opens with mode 0600, so there is no moment at which others could read the key.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
