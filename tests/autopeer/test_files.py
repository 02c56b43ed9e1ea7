"""Reading a file that may be anything."""

import os
from pathlib import Path

import pytest

from ygg.autopeer.documents import DocumentError
from ygg.autopeer.files import read_file


@pytest.mark.parametrize("size", [0, 1, 10])
def test_a_file(tmp_path: Path, size: int) -> None:
    (tmp_path / "list").write_bytes(b"x" * size)
    assert read_file(tmp_path / "list", 10) == b"x" * size


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"x" * 11)
    with pytest.raises(DocumentError, match="larger than 10 bytes"):
        read_file(tmp_path / "list", 10)


def test_a_pipe_is_no_file_and_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list")
    with pytest.raises(DocumentError, match="not a file"):
        read_file(tmp_path / "list", 10)


def test_a_device_is_no_file() -> None:
    with pytest.raises(DocumentError, match="not a file"):
        read_file(Path("/dev/zero"), 10)


def test_what_the_system_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "list", 10)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 10)
