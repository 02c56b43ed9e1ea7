"""UDP packets of 64 bytes, counted where they arrive."""

import asyncio
import time
from typing import Any

from . import bulk
from .nodes import pair

# Datagrams that may be under way: enough to keep batches full, and no loss.
WINDOW = 512


class Count(asyncio.DatagramProtocol):
    """Counts what arrives."""

    count = 0

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Count it."""
        self.count += 1


async def _send(
    transport: asyncio.DatagramTransport, target: tuple[str, int] | None, arrived: Count, seconds: float,
    window: int = WINDOW,
) -> None:
    data, sent, end = bytes(64), arrived.count, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(window - (sent - arrived.count)):
            transport.sendto(data, target)
            sent += 1
        await asyncio.sleep(0)


async def rate(
    transport: asyncio.DatagramTransport, target: tuple[str, int] | None, arrived: Count, seconds: float,
    *, window: int = WINDOW,
) -> float:
    """Return how many datagrams of 64 bytes a second arrive of those that are sent, `window` at once under way."""
    await _send(transport, target, arrived, 0.3, window)
    before = bulk.sample(arrived.count)
    await _send(transport, target, arrived, seconds, window)
    return bulk.rates(before, bulk.sample(arrived.count))[0] * bulk.MIB


async def _measure(seconds: float) -> dict[str, float]:
    async with pair(65535) as (one, other):
        receiver, arrived = await other.vtun.create_datagram_endpoint(Count, ("::", 0))
        sender, _ = await one.vtun.create_datagram_endpoint(asyncio.DatagramProtocol, ("::", 0))
        target = (other.host, receiver.get_extra_info("sockname")[1])
        await _send(sender, target, arrived, 0.3)
        before = bulk.sample(arrived.count)
        await _send(sender, target, arrived, seconds)
        after = bulk.sample(arrived.count)
        sender.close()
        receiver.close()
    count = max(after["count"] - before["count"], 1)
    return {"udp64_pps": count / (after["time"] - before["time"]),
            "udp64_cpu_us": (after["cpu"] - before["cpu"]) / count * 1e6}


def udp64(seconds: float) -> dict[str, float]:
    """Measure two nodes in this process."""
    return asyncio.run(_measure(seconds))
