"""What the README shows is what CI runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = sorted({line.split("#")[0].strip() for language, text in BLOCKS if language == "sh"
                   for line in text.splitlines() if line.startswith("tools/")})
PROGRAMS = [text for language, text in BLOCKS if language == "python" and "asyncio.run(" in text]


def test_the_two_commands_are_shown() -> None:
    """A reader finds the demonstration and the tests."""
    assert {"tools/demo", "tools/test"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_ci_runs_it(command: str) -> None:
    """Each command of the README is a program that CI runs, with at least the same arguments."""
    assert os.access(ROOT / command.split()[0], os.X_OK)
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert any(line == command or line.startswith(command + " ") for line in lines)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_program_runs(number: int, tmp_path: Path) -> None:
    """Each whole program of the README runs as it stands."""
    result = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAMS[number]], cwd=tmp_path, timeout=60,
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
