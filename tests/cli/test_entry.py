"""ygg.cli.entry: the parser, exit codes, and what becomes of errors."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from ygg.cli import entry, main
from ygg.errors import ConfigError, ConnectionRefused
from ygg.version import __version__

COMMANDS = (*entry.COMMANDS, "help")


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_names_every_command(name: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"] if name is None else [name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS) if name is None else f"ygg {name}" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ygg {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["genconf", "--js"], ["show"], ["run", "--conf", "x"], ["ping", "200::1"],
        ["ping", "200::1", "--peer", "tcp://h:1", "--count", "0"],
        ["ping", "200::1", "--peer", "tcp://h:1", "--timeout", "inf"],
        ["run", "--config", "x", "--loglevel", "loud"],
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ygg")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("Peers must be a list"), 1, "ygg: Peers must be a list\n"),
        (ConnectionRefused(), 1, "ygg: connection refused\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException, code: int, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(entry.genconf, "run", fail)
    assert main(["genconf"]) == code
    assert capsys.readouterr().err == text


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry.genconf, "run", lambda arguments: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main(["genconf"])


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    code = f"{sys.executable} -W error -m ygg peers | head -n 1"
    done = subprocess.run(["sh", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_nothing_heavy_is_loaded_for_help() -> None:
    code = "import sys, ygg.cli; ygg.cli.main(['--version']); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"cryptography", "hjson", "pysodium", "ygg_c.node.node"} & set(shown)
