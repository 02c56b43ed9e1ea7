"""The part of a file that has come: it is kept under a name of its own until the whole is there and checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import Self

from ygg.apps.messages import TransferError

CHUNK = 1 << 20
"""Bytes that are read from a file at a time."""


class Partial:
    """A file in the making: `.NAME.part` in the folder, for its owner alone, and locked while it is open."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        """Open what there is of the file, or begin it. Raises `TransferError`, and `OSError` where it cannot be."""
        self.target = folder / name
        """Where the whole file will be."""
        self.path = folder / f".{name}.part"
        """Where the part is."""
        if os.path.lexists(self.target):
            raise TransferError(f"{self.target} exists; remove it first, or take the file under another name")
        # A link that is there by chance or malice is not followed, nor is a pipe waited for.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        self._file = open(os.open(self.path, flags | getattr(os, "O_BINARY", 0), 0o600), "r+b")  # noqa: SIM115
        try:
            self.have = self._check(size)
            """Bytes that are there."""
        except BaseException:
            self._file.close()
            raise
        self.digest = hashlib.blake2b()
        """Of what is there, once `look` has read it."""

    def _check(self, size: int) -> int:
        found = os.fstat(self._file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise TransferError(f"{self.path} is no file of its own; remove it first")
        _lock(self._file.fileno(), self.path)
        have = found.st_size if found.st_size <= size else 0
        if size - have > (free := shutil.disk_usage(self.path.parent).free):
            raise TransferError(f"there is no room for it: {size - have} bytes are to come, {free} are free")
        return have

    def look(self) -> str:
        """Return the digest of what is there; in a thread, for it may be much."""
        self._file.seek(0)
        left = self.have
        while left and (data := self._file.read(min(CHUNK, left))):
            self.digest.update(data)
            left -= len(data)
        return self.digest.hexdigest()

    def go_on(self, start: int) -> None:
        """Go on after all that is there, or at 0 from the begin. Raises `TransferError` for another place."""
        if start not in (0, self.have):
            raise TransferError
        if start == 0:
            self.digest = hashlib.blake2b()
        self._file.seek(start)
        self._file.truncate()

    def write(self, data: bytes) -> None:
        """Add bytes; in a thread, for the disk may be slow."""
        self._file.write(data)
        self.digest.update(data)

    def finish(self) -> None:
        """Put the file in its place, where nothing is; in a thread."""
        self._file.flush()
        os.fsync(self._file.fileno())
        try:
            os.link(self.path, self.target, follow_symlinks=False)
        except FileExistsError:
            raise TransferError(f"{self.target} has come to exist; what came is in {self.path}") from None
        except OSError:  # file systems without links: what comes to be there in this moment is lost
            os.replace(self.path, self.target)
        else:
            os.unlink(self.path)

    def discard(self) -> None:
        """Remove the part, which is wrong."""
        os.unlink(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TransferError(f"another program receives the same file: it has {path}") from None
    except OSError:
        pass  # file systems without locks
