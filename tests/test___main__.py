"""ygg.__main__: the command line as `python -m ygg`."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ygg.version import __version__


def as_module(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m ygg` away from the sources."""
    command = [sys.executable, "-W", "error", "-m", "ygg", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--version"], 0), (["nonsense"], 2), (["show", "--config", "absent"], 1)]
)
def test_its_status_is_the_commands(tmp_path: Path, arguments: list[str], status: int) -> None:
    done = as_module(tmp_path, *arguments)
    assert done.returncode == status
    assert done.stdout == (f"ygg {__version__}\n" if status == 0 else "")
    assert bool(done.stderr) == bool(status)


def test_without_a_command_it_shows_help(tmp_path: Path) -> None:
    done = as_module(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ygg ")


def test_it_is_what_the_installed_command_does(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("ygg")
    if not command.exists():
        pytest.fail(f"{command} is not installed")
    printed = [
        subprocess.run([*words, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
                       env=os.environ | {"COLUMNS": "120"}).stdout
        for words in ([str(command)], [sys.executable, "-m", "ygg"])
    ]
    assert printed[0] == printed[1] != ""


def test_importing_it_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ygg"])
    assert runpy.run_module("ygg.__main__", run_name="imported")["main"]
