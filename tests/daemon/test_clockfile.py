"""The clock of a node kept in a file over restarts."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aio import run, until
from ygg import Config
from ygg.daemon import Daemon
from ygg.network import LoopbackNetwork


def identity(path: Path) -> int:
    """Tell this file from the one that takes its place."""
    return path.stat().st_ino if path.exists() else 0


async def life(path: Path, done: Callable[[], object] | None = None) -> int:
    """Run a daemon until it has written the file, or `done`, and return what its clock was."""
    before = identity(path)
    config = Config.generate()
    config.if_name, config.multicast_interfaces = "none", []
    async with Daemon(config, LoopbackNetwork(), path) as daemon:
        await until(done or (lambda: identity(path) != before))
        return daemon.core.engine.wall


def test_a_clock_that_was_set_back_goes_on(tmp_path: Path) -> None:
    """Where the file says a later time the clock goes on from there; each life begins after the last."""
    path = tmp_path / "ygg.conf.clock"
    now = int(time.time())
    assert abs(run(life(path)) - now) <= 2
    kept = int(path.read_text())
    assert abs(kept - now) <= 3
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(f"{now + 5000}\n")          # as if the time were set back by more than an hour
    assert 0 <= run(life(path)) - (now + 5000) <= 5
    assert int(path.read_text()) > now + 5000
    assert list(tmp_path.iterdir()) == [path]


def test_what_replaces_the_file_is_on_the_disk_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that loses power finds the old second or the new one, not an empty file, and writes hold up nothing."""
    path, written, threads = tmp_path / "clock", [], []

    def sync(descriptor: int) -> None:
        beside = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert beside.parent == path.parent
        written.append((beside.read_text(), path.exists()))
        threads.append(threading.current_thread())

    monkeypatch.setattr(os, "fsync", sync)
    run(life(path))
    (ahead, early), (last, late) = written
    assert (early, late) == (False, True)
    assert int(ahead) > int(last)
    assert last == path.read_text()
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize("content", [b"", b"soon", b"-5", b"9" * 30, b"\xff\xfe"])
def test_a_spoilt_file_counts_for_nothing(tmp_path: Path, content: bytes) -> None:
    """A file without a second in it is replaced."""
    path = tmp_path / "clock"
    path.write_bytes(content)
    assert abs(run(life(path)) - time.time()) <= 3
    assert path.read_text().strip().isdecimal()


def test_a_place_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The node runs; that its clock is not kept is logged once."""
    with caplog.at_level(logging.WARNING):
        run(life(tmp_path / "missing" / "clock", lambda: caplog.records))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        f"The clock cannot be kept in {tmp_path / 'missing' / 'clock'}"
    ]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before stays, and no other is there."""
    path = tmp_path / "clock"
    path.write_text("5\n")
    tried = threading.Event()

    def full(*_: object) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    run(life(path, tried.is_set))
    assert path.read_text() == "5\n"
    assert list(tmp_path.iterdir()) == [path]
