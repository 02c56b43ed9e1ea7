"""ygg.apps.partial: the part of a file that has come."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from ygg.apps.messages import TransferError
from ygg.apps.partial import Partial


def test_a_part_is_gone_on_with_and_put_in_its_place(tmp_path: Path) -> None:
    with Partial(tmp_path, "a", 6) as part:
        part.look()
        part.go_on(0)
        part.write(b"abc")
    with Partial(tmp_path, "a", 6) as part:
        assert part.have == 3
        assert part.look() == hashlib.blake2b(b"abc").hexdigest()
        part.go_on(3)
        part.write(b"def")
        assert part.digest.hexdigest() == hashlib.blake2b(b"abcdef").hexdigest()
        part.finish()
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"abcdef"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_what_does_not_fit_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".a.part").write_bytes(b"longer than the file")
    with Partial(tmp_path, "a", 3) as part:
        assert part.have == 0
    with Partial(tmp_path, "a", 100) as part:
        part.look()
        part.go_on(0)
        part.write(b"new")
    assert (tmp_path / ".a.part").read_bytes() == b"new"
    with Partial(tmp_path, "a", 100) as part, pytest.raises(TransferError):
        part.go_on(2)


@pytest.mark.parametrize("kind", ["file", "link", "folder", "dangling"])
def test_nothing_that_exists_is_written_over(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "a"
    {"file": target.touch, "link": lambda: target.symlink_to("/etc/passwd"), "folder": target.mkdir,
     "dangling": lambda: target.symlink_to("nowhere")}[kind]()  # fmt: skip
    with pytest.raises(TransferError, match="exists"):
        Partial(tmp_path, "a", 1)
    assert os.listdir(tmp_path) == ["a"]


def test_what_comes_to_be_there_meanwhile_stays(tmp_path: Path) -> None:
    with Partial(tmp_path, "a", 1) as part:
        part.write(b"x")
        (tmp_path / "a").write_bytes(b"mine")
        with pytest.raises(TransferError, match="has come to exist"):
            part.finish()
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert (tmp_path / ".a.part").read_bytes() == b"x"


@pytest.mark.parametrize("kind", ["link", "pipe", "hard link"])
def test_a_part_that_is_no_file_of_its_own_is_refused(kind: str, tmp_path: Path) -> None:
    victim, part = tmp_path / "victim", tmp_path / ".a.part"
    victim.write_bytes(b"")
    {"link": lambda: part.symlink_to(victim), "pipe": lambda: os.mkfifo(part),
     "hard link": lambda: os.link(victim, part)}[kind]()  # fmt: skip
    with pytest.raises((OSError, TransferError)):
        Partial(tmp_path, "a", 1)
    assert victim.read_bytes() == b""


def test_two_programs_do_not_write_one_part(tmp_path: Path) -> None:
    with Partial(tmp_path, "a", 1), pytest.raises(TransferError, match="another program"):
        Partial(tmp_path, "a", 1)


def test_no_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="there is no room for it"):
        Partial(tmp_path, "a", 1 << 62)


def test_a_wrong_part_is_removed(tmp_path: Path) -> None:
    with Partial(tmp_path, "a", 1) as part:
        part.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("moved", ["away", "into its place"])
def test_a_part_that_another_program_has_just_put_in_its_place_is_left(
    moved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did so after this program opened the part, and before this program locked it."""
    target = tmp_path / ("a" if moved == "into its place" else "b")
    (tmp_path / ".a.part").write_bytes(b"whole")

    def lock(descriptor: int, how: int) -> None:
        (tmp_path / ".a.part").rename(target)

    monkeypatch.setattr("fcntl.flock", lock)
    with pytest.raises(TransferError, match="another program receives the same file"):
        Partial(tmp_path, "a", 100)
    assert target.read_bytes() == b"whole"


def test_a_part_that_another_user_has_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They could read what comes. On file systems that have all files belong to one user, a new part is not refused."""
    monkeypatch.setattr("os.geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    with Partial(tmp_path, "a", 1) as part:
        part.write(b"x")
    with pytest.raises(TransferError, match="no file of its own"):
        Partial(tmp_path, "a", 1)
