"""ygg.wholefile: a file is there whole or not at all."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ygg import wholefile


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("write", "steps"),
    [
        (wholefile.replace, ["fsync"]),
        (wholefile.replace, ["replace"]),
        (wholefile.create, ["fsync"]),
        (wholefile.create, ["link", "replace"]),    # the second serves where there are no links
    ],
)
def test_what_fails_leaves_what_was_there(
    write: Callable[[Path, bytes], None], steps: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    if write is wholefile.replace:
        path.write_bytes(b"before")
    before = {found.name: found.read_bytes() for found in tmp_path.iterdir()}
    for step in steps:
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"after")
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == before


def test_files_are_their_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, write in (("one", wholefile.create), ("two", wholefile.replace)):
        write(tmp_path / name, b"content")
        assert (tmp_path / name).read_bytes() == b"content"
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    monkeypatch.setattr(os, "link", fail)
    wholefile.create(tmp_path / "three", b"content")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["one", "three", "two"]


def test_links_are_followed_and_stay(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    for content in (b"first", b"second"):
        wholefile.replace(tmp_path / "link", content)
        assert (tmp_path / "file").read_bytes() == content
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        wholefile.replace(tmp_path / "loop", b"content")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "link", "loop"]


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        wholefile.replace(path, b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(IsADirectoryError):
        wholefile.replace(tmp_path, b"content")


def test_what_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(FileExistsError):
        wholefile.create(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_rewritten_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    path.chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    wholefile.rewrite(tmp_path / "link", b"before", b"after")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"after", 0o640)
    assert (tmp_path / "link").is_symlink()
    if os.geteuid() == 0:
        os.chown(path, 65534, 65533)
        wholefile.rewrite(path, b"after", b"again")
        assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "link"]


def test_what_cannot_be_rewritten_safely_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="changed meanwhile"):
        wholefile.rewrite(path, b"other", b"after")
    os.link(path, tmp_path / "second")
    with pytest.raises(OSError, match="hard link"):
        wholefile.rewrite(path, b"before", b"after")
    (tmp_path / "second").unlink()
    with pytest.raises(OSError, match="no regular file"):
        wholefile.rewrite(tmp_path, b"before", b"after")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="No space left"):
            wholefile.rewrite(path, b"before", b"after")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"before"
