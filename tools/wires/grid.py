"""What one system does on one wire: bulk, pings and requests beside it, bulk both ways."""

import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

from remote import Remote

from .ends import SLOT
from .systems import Pair, System, pair
from .wire import Wire

WARM_UP = 2.0
REACH = 40.0
REST = 0.5
SIZES = (10_000, 100_000, 1_000_000)
"""Bytes of short transfers."""


class Figures(NamedTuple):
    """Figures of a cell; goodput as a share of the wire's rate, times in ms."""

    goodput: float
    """Of one bulk transfer, without its first seconds."""
    ping: float
    """Median beside it."""
    ping_late: float
    """Its 99th percentile."""
    lost: int
    """Pings without an answer."""
    request: float
    """Median of a request and its answer, 64 bytes each, over one connection beside it."""
    request_late: float
    """Its 99th percentile."""
    idle: float
    """Ping before anything was sent."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return what this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


def rate(slots: dict[str, int], begin: float, end: float) -> float:
    """Return Mbit/s between two times of the monotonic clock; `slots` as `Ends.arrived` tells."""
    first, last = int(begin / SLOT), int(end / SLOT)
    size = sum(count for slot, count in slots.items() if first <= int(slot) < last)
    return size * 8 / ((last - first) * SLOT) / 1e6


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 when all are equal."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares)) if any(shares) else 0.0


class Shares(NamedTuple):
    """What two bulk transfers at once, to different nodes or in different directions, got of the wire's rate."""

    first: float
    second: float
    ping: float
    """Median beside them, ms, from the one to the other."""
    uptime: float
    """Seconds for which the link is up, in the end."""

    @property
    def jain(self) -> float:
        """Jain's index of fairness."""
        return jain((self.first, self.second))


def reach(one: Remote, host: str, port: int) -> None:
    """Wait until there is an answer, with path and session made."""
    end = time.monotonic() + REACH
    while None in one.ask("pings", host=host, port=port, seconds=0.1):
        if time.monotonic() > end:
            raise OSError(f"no answer from {host}")


def measure(system: System, wire: Wire, seconds: float = 10.0) -> Figures:
    """Run a system over a wire for some seconds."""
    with pair(system, wire) as ends:
        return loaded(ends, wire, seconds)


def loaded(ends: Pair, wire: Wire, seconds: float) -> Figures:
    """Measure a bulk transfer, and what waits beside it."""
    sink, echo, answer = (ends.other.ask(what) for what in ("sink", "echo", "answer"))
    reach(ends.one, ends.other_host, answer)
    idle = [time for time in ends.one.ask("pings", host=ends.other_host, port=answer, seconds=1.0) if time is not None]
    begun = time.monotonic() + WARM_UP + 4 * wire.rtt / 1e3
    whole = begun - time.monotonic() + seconds
    bulk = ends.one.begin("bulk", host=ends.other_host, port=sink, seconds=whole)
    time.sleep(begun - time.monotonic())
    beside = {"host": ends.other_host, "seconds": seconds - 0.5}
    pings = ends.one.begin("pings", port=answer, **beside)
    requests = ends.one.begin("requests", port=echo, **beside)
    bulk.result(whole + 30)
    times, answered = requests.result(60), pings.result(60)
    heard = [time for time in answered if time is not None]
    return Figures(
        rate(ends.other.ask("arrived", port=sink), begun, begun + seconds) / wire.rate,
        percentile(heard, 0.5), percentile(heard, 0.99), answered.count(None),
        percentile(times, 0.5), percentile(times, 0.99), statistics.median(idle),
    )


def short(system: System, wire: Wire, count: int = 7, sizes: Sequence[int] = SIZES) -> list[float]:
    """Fetch bytes over a warm link, by a connection of its own each time; return the median ms for each size."""
    with pair(system, wire) as ends:
        source = ends.other.ask("source")
        reach(ends.one, ends.other_host, ends.other.ask("answer"))
        fetch = {"host": ends.other_host, "port": source, "every": REST + 2 * wire.rtt / 1e3, "timeout": 300}
        ends.one.ask("fetches", size=1, count=2, **fetch)
        return [statistics.median(ends.one.ask("fetches", size=size, count=count, **fetch)) for size in sizes]


Flow = tuple[Remote, Remote, str]
"""Who sends to whom, and under which address."""


def shared(system: System, wire: Wire, seconds: float = 10.0, *, both_ways: bool = False) -> Shares:
    """Run two transfers of ours over a wire: to two nodes behind it, or in both directions."""
    with pair(system, wire, behind=0 if both_ways else 1) as ends:
        second = (ends.other, ends.one, ends.one_host) if both_ways else (ends.one, *ends.behind[0])
        return _share(ends, [(ends.one, ends.other, ends.other_host), second], wire, seconds)


def _share(ends: Pair, flows: list[Flow], wire: Wire, seconds: float) -> Shares:
    for source, target, host in flows:
        reach(source, host, target.ask("answer"))
    sinks = [target.ask("sink") for _, target, _ in flows]
    begun = time.monotonic() + WARM_UP + 4 * wire.rtt / 1e3
    whole = begun - time.monotonic() + seconds
    transfers = [source.begin("bulk", host=host, port=port, seconds=whole)
                 for (source, _, host), port in zip(flows, sinks, strict=True)]
    time.sleep(begun - time.monotonic())
    answer = ends.other.ask("answer")
    pings = ends.one.ask("pings", host=ends.other_host, port=answer, seconds=seconds - 0.5, timeout=seconds + 30)
    uptime = ends.one.ask("uptime")
    for transfer in transfers:
        transfer.result(whole + 30)
    first, second = (rate(target.ask("arrived", port=port), begun, begun + seconds) / wire.rate
                     for (_, target, _), port in zip(flows, sinks, strict=True))
    return Shares(first, second, percentile([time for time in pings if time is not None], 0.5), uptime)
