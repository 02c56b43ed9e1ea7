"""Connections: how many are opened and closed in a second between two nodes, and the memory that each takes."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection

from .nodes import pair
from .stack import Joined

PARALLEL = 64
COUNT = 8000        # connections whose memory is measured, on top of WARM
WARM = 2000
STEP = 500
NODES = bytes([2, 1])   # addresses that start so are the first stack's


async def _open_and_close(pairs: Any, seconds: float) -> float:
    one, other = pairs
    server = await other.vtun.create_server(asyncio.Protocol, port=0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    count, end, began = 0, time.monotonic() + seconds, time.process_time()

    async def repeat() -> None:
        nonlocal count
        while time.monotonic() < end:
            transport, _ = await one.vtun.create_connection(asyncio.Protocol, other.host, port)
            transport.close()
            count += 1

    await asyncio.gather(*(repeat() for _ in range(PARALLEL)))
    spent = time.process_time() - began
    server.close()
    return count / spent


def between_nodes(seconds: float) -> dict[str, float]:
    """Measure opening and closing through asyncio, both nodes in this process; by CPU time, so of a whole core."""

    async def measure() -> float:
        async with pair(65535) as members:
            return await _open_and_close(members, seconds)

    return {"conn_pair_per_s": asyncio.run(measure())}


def memory(seconds: float) -> dict[str, float]:
    """Measure the memory of a connection by what COUNT of them add to a process, each kind in one of its own."""
    figures = {}
    for kind in KINDS:
        command = [sys.executable, "-m", "benchmarks.connections", kind]
        figures[f"conn_{kind}_kib"] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return figures


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _free_of_limits(stack: NetStack) -> None:
    stack.max_connections = stack.max_time_wait = stack.syn_queue = 1 << 20
    stack.max_connections_per_node = 1 << 18


def _established(joined: Joined, first: int, count: int) -> int:
    clients = [joined.connect() for _ in range(count)]
    joined.settle()
    servers = [server for _ in range(count) if (server := joined.listener.accept()) is not None]
    # A request and its answer, as even a connection that is idle now has seen.
    for ends in ((clients, servers), (servers, clients)):
        for one in ends[0]:
            one.send(bytes(100))
        joined.settle()
        for other in ends[1]:
            other.recv()
    for _ in range(2):              # what is delayed leaves in the first second, memory is given back after another
        joined.turn(joined.now + 10**9)
        joined.settle()
    return 2            # both ends are here


def _half_open(joined: Joined, first: int, count: int) -> int:
    return _left_open(joined, [joined.connect() for _ in range(count)])


def _half_open_each(joined: Joined, first: int, count: int) -> int:
    return _left_open(joined, [joined.connect(local) for local in _locals(first, count)])


def _locals(first: int, count: int) -> list[bytes]:
    return [NODES + number.to_bytes(6, "big") + bytes(8) for number in range(first, first + count)]


def _left_open(joined: Joined, clients: list[TcpConnection]) -> int:
    joined.lose_answers()
    for client in clients:
        client.abort()
    return 1


def _time_wait(joined: Joined, first: int, count: int) -> int:
    clients = [joined.connect() for _ in range(count)]
    joined.settle()
    for client in clients:
        client.close()
    joined.settle()
    while (server := joined.listener.accept()) is not None:
        server.close()
    joined.settle()
    return 1


def _time_wait_each(joined: Joined, first: int, count: int) -> int:
    clients = [joined.connect(local) for local in _locals(first, count)]
    joined.settle()
    while (server := joined.listener.accept()) is not None:
        server.close()
    joined.settle()
    for client in clients:
        client.close()
    joined.settle()
    return 1


# "each": of a node of its own, with what is kept for a node.
KINDS = {
    "established": _established, "half_open": _half_open, "half_open_each": _half_open_each, "time_wait": _time_wait,
    "time_wait_each": _time_wait_each,
}


def main(kind: str) -> None:
    """Print the KiB that one end of a connection takes."""
    joined = Joined(65535)
    joined.one.add_address(NODES + bytes(14), 16)
    for stack in (joined.one, joined.other):
        _free_of_limits(stack)
    before = ends = 0
    for first in range(0, WARM + COUNT, STEP):
        if first == WARM:
            before = _resident()
        ends = KINDS[kind](joined, first, STEP)
    print((_resident() - before) / COUNT / ends / 1024)


if __name__ == "__main__":
    main(sys.argv[1])
