"""TCP goodput of what knows nothing of the overlay, by `routed()`: by the event loop, and by a socket of its own."""

import asyncio
import socket
from typing import Any

from ygg.integrations.routed import routed

from . import bulk
from .nodes import Member, pair

WARM_UP = 0.7


async def _listen(other: Member) -> tuple[bulk.Sink, int]:
    sink = bulk.Sink()
    with routed(other.vtun):
        server: Any = await asyncio.get_running_loop().create_server(lambda: sink, other.host, 0)
    return sink, server.sockets[0].getsockname()[1]


async def _rate(sink: bulk.Sink, seconds: float) -> float:
    await asyncio.sleep(WARM_UP)
    before = bulk.sample(sink.count)
    await asyncio.sleep(seconds)
    return bulk.rates(before, bulk.sample(sink.count))[0]


async def _by_the_loop(one: Member, other: Member, seconds: float) -> float:
    sink, port = await _listen(other)
    source = bulk.Source()
    with routed(one.vtun):
        await asyncio.get_running_loop().create_connection(lambda: source, other.host, port)
    rate = await _rate(sink, seconds)
    source.stop()
    return rate


async def _by_a_socket(one: Member, other: Member, seconds: float) -> float:
    sink, port = await _listen(other)
    loop = asyncio.get_running_loop()

    async def write() -> None:
        while True:
            await loop.sock_sendall(sock, bulk.Source.CHUNK)

    with routed(one.vtun), socket.socket(socket.AF_INET6) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (other.host, port))
        writing = asyncio.create_task(write())
        rate = await _rate(sink, seconds)
        writing.cancel()
        await asyncio.wait({writing})
    return rate


async def _measure(seconds: float) -> dict[str, float]:
    async with pair(65535) as (one, other):
        return {
            "routed_mib_s": await _by_the_loop(one, other, seconds),
            "routed_socket_mib_s": await _by_a_socket(one, other, seconds),
        }


def routed_loop(seconds: float) -> dict[str, float]:
    """Measure two nodes in this process, at an MTU of 65,535 bytes."""
    return asyncio.run(_measure(seconds))
