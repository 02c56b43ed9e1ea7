"""TCP goodput and its CPU, in one process and in two; and how many Python calls it takes."""

import asyncio
import gc
import sys
import time
from typing import Any

from . import bulk
from .nodes import Member, pair
from .process import node_process

WARM_UP = 0.7


async def _start(one: Member, other: Member) -> tuple[bulk.Source, bulk.Sink]:
    sink, source = bulk.Sink(), bulk.Source()
    server = await other.vtun.create_server(lambda: sink, port=0)
    await one.vtun.create_connection(lambda: source, other.host, server.sockets[0].getsockname()[1])
    return source, sink


async def _in_process(mtu: int, seconds: float) -> tuple[float, float]:
    async with pair(mtu) as (one, other):
        source, sink = await _start(one, other)
        await asyncio.sleep(WARM_UP)
        before = bulk.sample(sink.count)
        await asyncio.sleep(seconds)
        after = bulk.sample(sink.count)
        source.stop()
        return bulk.rates(before, after)


def in_process(mtu: int, seconds: float) -> dict[str, float]:
    """Measure two nodes in this process."""
    speed, cost = asyncio.run(_in_process(mtu, seconds))
    return {f"pair_inproc_{mtu}_mib_s": speed, f"pair_inproc_{mtu}_cpu_s_per_gib": cost}


def two_processes(mtu: int, seconds: float) -> dict[str, float]:
    """Measure two nodes in a process each; the CPU is that of both."""
    with node_process(mtu) as receiver, node_process(mtu) as sender:
        sender.ask("call", url=receiver.ask("listen"))
        host, port = receiver.ask("sink")
        sender.ask("source", host=host, port=port)
        time.sleep(WARM_UP)
        before, sender_before = receiver.ask("sample"), sender.ask("sample")
        time.sleep(seconds)
        after, sender_after = receiver.ask("sample"), sender.ask("sample")
        sender.ask("stop")
    speed, cost = bulk.rates(before, after, sender_after["cpu"] - sender_before["cpu"])
    return {f"pair_{mtu}_mib_s": speed, f"pair_{mtu}_cpu_s_per_gib": cost}


async def _reach(sink: bulk.Sink, count: int) -> None:
    while sink.count < count:   # noqa: ASYNC110 - an event would be set for each read
        await asyncio.sleep(0.05)


async def count_calls(mtu: int, mebibytes: int) -> tuple[float, float]:
    """Return the Python-level calls, of Python and C functions, and the event loop's turns, both for each MiB.

    Two nodes in this process; the loop must be asyncio's own, whose every turn is one call of its selector.
    """
    calls = turns = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls, turns
        if event in ("call", "c_call"):
            calls += 1
            turns += event == "call" and frame.f_code.co_name == "_run_once"

    async with pair(mtu) as (one, other):
        source, sink = await _start(one, other)
        await _reach(sink, 8 * bulk.MIB)
        gc.collect()
        start = sink.count
        sys.setprofile(count)
        try:
            await _reach(sink, start + mebibytes * bulk.MIB)
        finally:
            sys.setprofile(None)
        source.stop()
        size = (sink.count - start) / bulk.MIB
        return calls / size, turns / size


def python_calls(seconds: float) -> dict[str, float]:
    """Count the Python-level calls while bulk data flows at the ordinary MTU of the overlay."""
    return {"python_calls_per_mib": asyncio.run(count_calls(65535, round(100 * seconds)))[0]}
