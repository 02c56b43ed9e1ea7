"""TCP request/response: one byte there, one byte back, over a connection that stays."""

import asyncio
import time
from typing import Any

from .nodes import pair


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class _Asker(asyncio.Protocol):
    def __init__(self, count: int) -> None:
        self._left = count
        self.times: list[int] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter_ns()
        self._transport.write(b"?")

    def data_received(self, data: bytes) -> None:
        self.times.append(time.perf_counter_ns() - self._asked)
        self._left -= 1
        if self._left:
            self._ask()
        else:
            self.done.set_result(None)


async def _measure(count: int) -> list[int]:
    async with pair(65535) as (one, other):
        server = await other.vtun.create_server(_Echo, port=0)
        port = server.sockets[0].getsockname()[1]
        _, asker = await one.vtun.create_connection(lambda: _Asker(count), other.host, port)
        await asker.done
        return asker.times[count // 10:]


def request_response(seconds: float) -> dict[str, float]:
    """Measure the latency between two nodes in this process."""
    times = sorted(asyncio.run(_measure(round(5000 * seconds))))
    return {"rr_median_us": times[len(times) // 2] / 1000, "rr_p99_us": times[len(times) * 99 // 100] / 1000}
