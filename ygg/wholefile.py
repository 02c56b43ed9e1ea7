"""Files that are there whole or not at all: a full disk leaves what was there before, or nothing."""

from __future__ import annotations

import contextlib
import errno
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


def rewrite(path: Path, before: bytes, content: bytes) -> None:
    """Put `content` in place of a file that holds `before`; its mode, owner and attributes stay. Links are followed.

    Raises `OSError` where that cannot be: it holds something else by now, is no regular file or has a second name (a
    hard link), or its owner or an attribute cannot be kept.
    """
    target = path.resolve()
    state = target.lstat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    if state.st_nlink != 1:
        raise OSError(errno.EINVAL, "it has a second name, a hard link", str(path))
    with _written(target, content) as temporary:
        made = os.stat(temporary)
        if (made.st_uid, made.st_gid) != (state.st_uid, state.st_gid):
            os.chown(temporary, state.st_uid, state.st_gid)
        os.chmod(temporary, stat.S_IMODE(state.st_mode))
        _copy_attributes(target, temporary)
        now = target.lstat()
        if (now.st_ino, now.st_mtime_ns, now.st_size) != (
            state.st_ino, state.st_mtime_ns, state.st_size,
        ) or target.read_bytes() != before:  # fmt: skip
            raise OSError(errno.EBUSY, "it was changed meanwhile", str(path))
        os.replace(temporary, target)


def _copy_attributes(source: Path, to: str) -> None:
    """Give a file the extended attributes of another, such as its access list."""
    if not hasattr(os, "listxattr"):
        return
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return
        raise
    there = set(os.listxattr(to))
    for name in names:
        value = os.getxattr(source, name)
        if name not in there or os.getxattr(to, name) != value:
            os.setxattr(to, name, value)


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
