"""ygg completion: bash is asked what it would complete."""

import subprocess
import sys
from pathlib import Path

import pytest

from ygg.cli import main


@pytest.mark.parametrize(("typed", "completed"), [
    ("ygg pi", "ping"), ("ygg ping --pe", "--peer"), ("ygg run --loglevel de", "debug"), ("ygg show su", "subnet"),
])  # fmt: skip
def test_bash_completes(typed: str, completed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "ygg"
    script.write_text(capsys.readouterr().out)
    asks = f'. {script}; COMP_WORDS=({typed}); COMP_CWORD={len(typed.split()) - 1}; ' \
           'f=$(complete -p ygg | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $f ygg; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [completed]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "ping" in capsys.readouterr().out


def test_without_shtab_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    assert capsys.readouterr().err == "ygg: completion needs shtab: install ygg[cli]\n"
