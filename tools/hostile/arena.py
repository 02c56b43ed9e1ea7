"""Runs victim, bystanders and one attack, and says what the honest side felt before and during it."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from hostile.bystander import SEED as NEIGHBOUR
from hostile.evil import Target

PROGRAMS = Path(__file__).parent
READY = 10.0
"""Seconds that a program has to say its first line."""
SETTLE = 1.5
"""Seconds between the start of the honest side and the first figures."""


@dataclass(frozen=True)
class Phase:
    """What the honest side felt for some seconds. Times in milliseconds."""

    lag: float
    """The worst delay of the victim's event loop."""
    work: float
    """The worst stretch of CPU time between two rounds of it."""
    resident: float
    """MiB of memory, at most."""
    ping: float
    """The 99th percentile of an echo's round trip."""
    failures: int
    """Echoes and connections that failed."""
    newcomer: float
    """The longest that a new node took to be linked and answered; infinite when it was not."""
    lost: int
    """How often the honest link was lost."""

    def __str__(self) -> str:
        return (f"lag {self.lag:6.0f} ms, work {self.work:5.0f} ms, {self.resident:5.0f} MiB, "
                f"ping p99 {self.ping:7.1f} ms, {self.failures:3} failed, newcomer {self.newcomer:6.0f} ms, "
                f"link lost {self.lost}")


@dataclass(frozen=True)
class Outcome:
    """What came of an attack."""

    before: Phase
    during: Phase
    after: Phase
    did: str
    """What the attacker says it did."""
    complaints: str
    """What victim and bystanders wrote to standard error."""


class _Program:
    """A process whose lines are collected as they come."""

    def __init__(self, name: str, *arguments: str, nice: int = 0) -> None:
        self.lines: list[dict[str, Any]] = []
        self.errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by end()
        command = [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]
        environment = os.environ | {"PYTHONPATH": str(PROGRAMS.parent)}
        self.process = subprocess.Popen(["nice", "-n", str(nice), *command], stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, env=environment)
        self._reader = threading.Thread(target=self._collect)
        self._reader.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"text": line.strip()})

    def first(self) -> dict[str, Any]:
        """Return the first line. `RuntimeError` when none comes."""
        end = time.monotonic() + READY
        while not self.lines:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.process.args!r} did not start: {self.complaints()}")
            time.sleep(0.01)
        return self.lines[0]

    def complaints(self) -> str:
        """Return what it wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def end(self) -> None:
        """Kill it and let go of it."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()


@contextmanager
def _programs(round_trip: float) -> Iterator[tuple[_Program, _Program, Target]]:
    with ExitStack() as stack:
        victim = _Program("victim")
        stack.callback(victim.end)
        told = victim.first()
        bystander = _Program("bystander", str(told["ports"]["tcp"]), told["key"], str(round_trip))
        stack.callback(bystander.end)
        bystander.first()
        yield victim, bystander, Target(told["ports"], told["key"], NEIGHBOUR.hex())


def run(name: str, seconds: float = 6.0, rest: float = 1.5, round_trip: float = 0.0) -> Outcome:
    """Have the attack of this name go on for so long, with `rest` seconds of peace before and after.

    The honest side is a round trip of so many milliseconds away.
    """
    with _programs(round_trip) as (victim, bystander, target):
        time.sleep(SETTLE)
        begun = time.monotonic()
        time.sleep(rest)
        attacked = time.monotonic()
        attacker = _Program("attacker", json.dumps(asdict(target)), str(seconds), name, nice=3)
        try:
            attacker.process.wait(seconds + 60)     # preparation takes its time too
            ended = time.monotonic()
            did = " ".join(str(line.get("text")) for line in attacker.lines)
            did = did or attacker.complaints()[-300:]
        finally:
            attacker.end()
        time.sleep(rest)
        if victim.process.poll() is not None:
            raise RuntimeError(f"the victim died: {victim.complaints()[-2000:]}")
        times = (begun, attacked), (attacked, ended), (ended + 1, time.monotonic())
        before, during, after = (_phase(victim.lines[1:], bystander.lines, *span) for span in times)
        return Outcome(before, during, after, did, victim.complaints() + bystander.complaints())


def _phase(felt: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]], start: float, end: float) -> Phase:
    pulse = [line for line in felt if start <= line["t"] < end]
    acts = [line for line in events if line.get("kind") != "link" and start <= line["started"] < end]
    pings = [line["seconds"] for line in acts if line["kind"] == "ping" and not line["error"]]
    new = [float("inf") if line["error"] else line["seconds"] for line in acts if line["kind"] == "newcomer"]
    return Phase(
        lag=1000 * max((line["lag"] for line in pulse), default=float("inf")),
        work=1000 * max((line["work"] for line in pulse), default=float("inf")),
        resident=max((line["resident"] for line in pulse), default=0) / 2**20,
        ping=1000 * (sorted(pings)[int(0.99 * len(pings))] if pings else float("inf")),
        failures=sum(bool(line["error"]) for line in acts if line["kind"] != "newcomer"),
        newcomer=1000 * max(new, default=float("inf")),
        lost=sum(line["kind"] == "link" and not line["up"] and start <= line["t"] < end for line in events),
    )
