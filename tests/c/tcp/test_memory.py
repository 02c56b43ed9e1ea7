"""What connections in great numbers cost: the memory that thousands of each kind add to a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[3] / "tools"
COUNTED = 1344
"""Bytes that one takes of a stack's `max_buffered`."""


@pytest.mark.parametrize(("kind", "most"), [
    ("established", 1.4), ("half_open", 0.2), ("half_open_each", 0.2), ("time_wait", 0.2), ("time_wait_each", 0.21),
])  # fmt: skip
def test_a_connection_takes_little(kind, most):
    """KiB for each end. One that is established has answered a request and is idle since. "each": of a node of its own.

    Tables count.
    """
    command = [sys.executable, "-m", "benchmarks.connections", kind]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    taken = subprocess.run(
        command, cwd=TOOLS, env=environment, capture_output=True, text=True, check=True, timeout=60,
    ).stdout
    assert 0.1 < float(taken) < most
    if kind == "established":
        assert abs(float(taken) * 1024 - COUNTED) < 100
