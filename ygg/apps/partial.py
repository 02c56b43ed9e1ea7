"""The part of a file that has come: it is kept under a name of its own until the whole is there and checked."""

from __future__ import annotations

import contextlib
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
        descriptor, made = _open(self.path)
        self._file = open(descriptor, "r+b")  # noqa: SIM115
        try:
            self._check(made)
            self.have = self._compare(size)
            """Bytes that are there."""
        except BaseException:
            self._file.close()
            raise
        self.digest = hashlib.blake2b()
        """Of what is there, once `look` has read it."""

    def _check(self, made: bool) -> None:
        """See that the file is this program's alone; one that this user has not made may be read by who has."""
        found = os.fstat(self._file.fileno())
        foreign = not made and hasattr(os, "geteuid") and found.st_uid != os.geteuid()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or foreign:
            raise TransferError(f"{self.path} is no file of its own; remove it first")
        if not _lock(self._file.fileno()) or not self._is_there(found):
            raise TransferError(f"another program receives the same file: it has {self.path}")

    def _is_there(self, found: os.stat_result) -> bool:
        """Tell whether it is the part still: a program that had the lock before may have put it in its place."""
        try:
            return os.path.samestat(found, os.lstat(self.path)) and not os.path.lexists(self.target)
        except FileNotFoundError:
            return False

    def _compare(self, size: int) -> int:
        """Return how many bytes are there of so many. Raises `TransferError` where there is no room for the others."""
        there = os.fstat(self._file.fileno()).st_size
        have = there if there <= size else 0
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
        with contextlib.suppress(OSError):  # a full disk again; what is lost by it is received anew
            self._file.close()


def _open(path: Path) -> tuple[int, bool]:
    """Return a descriptor of a file, and whether it is new."""
    # A link that is there by chance or malice is not followed, nor is a pipe waited for.
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600), True
    except FileExistsError:
        return os.open(path, flags), False


def _lock(descriptor: int) -> bool:
    """Lock a file, and tell whether no other program has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # file systems without locks
    return True
