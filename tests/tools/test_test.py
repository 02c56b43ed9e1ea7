"""tools/test: which runs of pytest it makes of its arguments, and what it makes of how they end."""

import importlib.machinery
import importlib.util
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tools/test"


def load() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("tools_test", str(FILE))
    spec = importlib.util.spec_from_loader("tools_test", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


TOOL = load()


def marks(arguments: list[str], selection: str, stress: bool) -> list[str]:
    """Return what each run selects by marks."""
    return [run[run.index("-m") + 1] if "-m" in run else "" for run in TOOL.runs(arguments, selection, stress)]


@pytest.mark.parametrize(("arguments", "selection", "stress", "expected"), [
    ([], "not slow", False, ["not slow and not alone", "not slow and alone"]),
    ([], "", False, ["not alone", "alone"]),
    (["-x", "-k", "no_such_name"], "", False, ["not alone", "alone"]),
    ([], "not slow", True, ["not slow and not alone"]),
    ([], "", True, ["not alone"]),
    (["tests/tools"], "not slow", False, ["not slow"]),
    (["tests/tools"], "", False, [""]),
    (["tests/tools"], "not slow", True, ["not slow and not alone"]),
    (["-n", "3"], "", True, ["not alone"]),
])
def test_what_is_selected(arguments: list[str], selection: str, stress: bool, expected: list[str]) -> None:
    assert marks(arguments, selection, stress) == expected


def test_a_python_is_named_by_its_version() -> None:
    arguments = ["--python", "3.14", "tests/vtun"]
    assert TOOL.take_version(arguments) == "3.14"
    assert arguments == ["tests/vtun"]
    assert TOOL.take_version(arguments) == ""
    for wrong in (["--python"], ["--python", "tests/vtun"]):
        with pytest.raises(SystemExit):
            TOOL.take_version(wrong)


def test_only_what_is_not_alone_runs_in_several_processes() -> None:
    shared, alone = TOOL.runs([], "", False)
    assert "-n" in shared
    assert "-n" not in alone


@pytest.mark.parametrize(("statuses", "status"), [
    ([0, 0], 0), ([5, 0], 0), ([0, 5], 0), ([5, 5], 5), ([5], 5), ([1, 0], 1), ([0, 1], 1), ([5, 1], 1), ([3, 1], 3),
    ([-signal.SIGSEGV, 0], -signal.SIGSEGV),
])
def test_a_failure_of_any_run_is_one_of_all(statuses: list[int], status: int) -> None:
    assert TOOL.total(statuses) == status


def test_an_interrupt_before_pytest_is_up_is_one_too() -> None:
    assert 2 in TOOL.INTERRUPTED
    assert -signal.SIGINT in TOOL.INTERRUPTED


HOLDER = """
import importlib.machinery, importlib.util, sys, time
loader = importlib.machinery.SourceFileLoader("tools_test", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tools_test", loader))
loader.exec_module(module)
with module.busy(1) as loops:
    print("up", flush=True)
    time.sleep(60)
"""


def test_busy_loops_do_not_outlive_the_tool() -> None:
    """They have its standard output, which therefore ends when the last of them has."""
    command = [sys.executable, "-c", HOLDER, str(FILE)]
    environment = {"PYTHONPATH": str(ROOT / "tools"), "PYTHONSAFEPATH": ""}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        holder.kill()
        holder.wait()
        began = time.monotonic()
        assert holder.stdout.read() == b""
        assert time.monotonic() - began < 30
