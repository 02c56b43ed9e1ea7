"""Running commands as a person does: `ygg` as a process, away from the sources."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def start(folder: Path, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start `python -m ygg` with warnings as errors."""
    command = [sys.executable, "-W", "error", "-m", "ygg", *arguments]
    return subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, **options
    )
