"""The packaged daemon and ygg in the same run: two nodes with TUN devices each, and the kernel's sockets above them.

Rounds are interleaved, the first of a round changes, and what is shown are medians. Both node programs read the same
configuration file; hosts, cable and traffic are the same.
"""

import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from remote import Remote

from . import table
from .bulk import GIB, MIB
from .hosts import joined_hosts, remove_leftovers
from .programs import OURS, PORT, NodeProcess, Program, node, reference

ROUNDS = 5
WARM_UP = 1.0
MTUS = (65535, 1500)
STREAMS = (1, 8)
DATAGRAM = 64

Figures = dict[str, float]


def compare(daemon: str, *, quick: bool = False, file: str | None = None) -> None:
    """Measure, print the table in Markdown, and write all rounds and medians as JSON to `file`."""
    programs = (OURS, reference(daemon))
    rounds: dict[str, list[Figures]] = {program.name: [] for program in programs}
    remove_leftovers()
    try:
        for number in range(1 if quick else ROUNDS):
            for program in programs if number % 2 == 0 else reversed(programs):
                rounds[program.name].append(_round(program, number + 1, 0.3 if quick else 3.0))
    finally:
        medians = {name: _medians(found) for name, found in rounds.items()}
        if file and any(medians.values()):
            Path(file).write_text(json.dumps({"medians": medians, "rounds": rounds}, indent=2) + "\n")
    print(table.markdown(medians[OURS.name], medians[programs[1].name], programs[1].name))


def _medians(rounds: list[Figures]) -> Figures:
    names = rounds[0] if rounds else {}
    return {name: statistics.median(figures[name] for figures in rounds) for name in names}


def _say(program: Program, number: int, what: str) -> None:
    print(f"round {number}, {program.name}: {what}", file=sys.stderr, flush=True)


def _round(program: Program, number: int, seconds: float) -> Figures:
    figures: Figures = {}
    for mtu in MTUS:
        with Pair(program, mtu) as pair:
            _say(program, number, f"MTU {mtu}, first answer after {pair.started:.2f} s")
            for streams in STREAMS:
                _say(program, number, f"MTU {mtu}, TCP by {streams}")
                figures |= pair.streams(streams, seconds)
            if mtu == MTUS[0]:
                for measure in (pair.round_trips, pair.datagrams, pair.pages):
                    _say(program, number, measure.__name__.replace("_", " "))
                    figures |= measure(seconds)
                figures |= {"start_s": pair.started, "memory_mib": pair.memory()}
    return figures


class Pair:
    """Two nodes of one program on hosts of their own, peers of each other."""

    def __init__(self, program: Program, mtu: int) -> None:
        self._program, self._mtu = program, mtu
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Pair":
        with self._stack as stack:
            here, there = stack.enter_context(joined_hosts())
            self._client: Remote = stack.enter_context(here.traffic())
            self._server: Remote = stack.enter_context(there.traffic())
            self._far = stack.enter_context(node(self._program, there, self._mtu))
            self._client.ask("reach", host=there.address, port=PORT, within=20.0)
            port = self._server.ask("answer_datagrams")
            begun = time.monotonic()
            self._near = stack.enter_context(node(self._program, here, self._mtu, there))
            answered = self._client.ask("first_answer", host=self._far.address, port=port, within=30.0)
            self.started = answered - begun
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.__exit__(*exception)  # type: ignore[arg-type]

    @property
    def _nodes(self) -> tuple[NodeProcess, NodeProcess]:
        return self._near, self._far

    def memory(self) -> float:
        """Return the most memory that one of the nodes has had, in MiB."""
        return max(one.memory() for one in self._nodes)

    def _sample(self) -> Figures:
        figures = self._server.ask("sample")
        return figures | {"again": self._client.ask("sample")["again"], "cpu": sum(one.cpu() for one in self._nodes)}

    def _passed(self, action: Callable[[], object]) -> Figures:
        before = self._sample()
        action()
        after = self._sample()
        return {name: after[name] - before[name] for name in before}

    def streams(self, count: int, seconds: float) -> Figures:
        """Measure TCP in one direction: MiB/s, CPU seconds of both nodes per GiB, segments sent again meanwhile."""
        self._client.ask("send", host=self._far.address, port=self._server.ask("sink"), streams=count)
        time.sleep(min(WARM_UP, seconds))
        passed = self._passed(lambda: time.sleep(seconds))
        self._client.ask("stop")
        size = max(passed["count"], 1)
        name = f"tcp{count}_{self._mtu}"
        return {f"{name}_mib_s": size / MIB / passed["time"], f"{name}_cpu_s_per_gib": passed["cpu"] / (size / GIB),
                f"{name}_retransmitted": passed["again"]}

    def round_trips(self, seconds: float) -> Figures:
        """Measure a byte there and a byte back over TCP."""
        port = self._server.ask("echo")
        times = self._client.ask("round_trips", host=self._far.address, port=port, seconds=seconds)
        return {"rr_median_us": times["median"], "rr_p99_us": times["p99"]}

    def datagrams(self, seconds: float) -> Figures:
        """Measure how many small datagrams arrive when more are sent, and the CPU of both nodes for each."""
        port = self._server.ask("count_datagrams")
        passed = self._passed(
            lambda: self._client.ask("flood", host=self._far.address, port=port, size=DATAGRAM, seconds=seconds))
        count = max(passed["count"], 1)
        return {"udp_pps": count / passed["time"], "udp_cpu_us": passed["cpu"] / count * 1e6}

    def pages(self, seconds: float) -> Figures:
        """Measure HTTP requests for a page of 1 KiB, one after the other by one connection."""
        port = self._server.ask("web")
        return {"http_rps": self._client.ask("get_pages", host=self._far.address, port=port, seconds=seconds)}
