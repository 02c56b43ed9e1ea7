"""tools/bench --beside: the packaged daemon and ygg in one run, and nothing left when that is interrupted."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.hosts import remove_leftovers
from tests.interop.daemon import find, wait_until
from tests.interop.lab import ip

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def heed_interrupts() -> None:
    """Undo what a shell does to a test run in the background: it has SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def bench(*options: str) -> "subprocess.Popen[str]":
    paths = os.pathsep.join([str(TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "--beside", str(find("yggdrasil")), "--quick", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths},
        preexec_fn=heed_interrupts,
    )  # fmt: skip


def left_by(process: "subprocess.Popen[str]") -> list[str]:
    return re.findall(rf"^yggbench-{process.pid}-\d+", ip("netns", "list"), re.MULTILINE)


@pytest.mark.slow
@pytest.mark.alone
def test_the_daemon_and_ygg_are_measured_in_one_run(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    with bench("--json", str(file)) as process:
        printed, said = process.communicate(timeout=100)
    assert process.returncode == 0, said
    head, _, *rows = printed.splitlines()
    assert re.fullmatch(r"\| \| ygg \| yggdrasil \d\S* \|", head)
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(table.ROWS)
    medians = json.loads(file.read_text())["medians"]
    assert len(medians) == 2
    for figures in medians.values():
        assert min(value for name, value in figures.items() if not name.endswith("retransmitted")) > 0
    assert not left_by(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_hosts(number: signal.Signals) -> None:
    with bench() as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "TCP by" in line:
                break
        assert len(left_by(process)) == 2
        process.send_signal(number)
        printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, ""), said
    assert not left_by(process)


def test_what_a_killed_run_has_left_is_removed() -> None:
    with bench() as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "TCP by" in line:
                break
        hosts = left_by(process)
        running = [number for host in hosts for number in ip("netns", "pids", host).split()]
        process.kill()
    assert len(hosts) == 2
    assert len(running) >= 4
    remove_leftovers()
    assert not left_by(process)
    wait_until(lambda: not any(Path("/proc", number, "exe").exists() for number in running), "all have ended")
