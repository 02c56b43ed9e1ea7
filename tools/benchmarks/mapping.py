"""Mapping hosts to networks while a thousand listeners are open."""

import asyncio
import time

from ygg import LoopbackNetwork, TCPTransport, TransportManager


async def _change(count: int) -> float:
    async with LoopbackNetwork() as first, LoopbackNetwork() as second:
        manager = TransportManager(first)
        manager.register(TCPTransport())
        hosts = [f"127.0.{number >> 8}.{number & 255}" for number in range(1, count + 1)]
        listeners = [await manager.listen(f"tcp://{host}:0") for host in hosts]
        started = time.perf_counter()
        for host in hosts:
            manager.map_network(host, second)
        spent = time.perf_counter() - started
        assert all(listener.is_closing() for listener in listeners)
        return spent


def mapping(count: int, seconds: float) -> dict[str, float]:
    """Measure mapping each of `count` hosts elsewhere, which closes its listener; the best of several."""
    started = time.perf_counter()
    times: list[float] = []
    while not times or time.perf_counter() - started < seconds:
        times.append(asyncio.run(_change(count)))
    return {f"mapping_{count}_ms": 1000 * min(times)}
