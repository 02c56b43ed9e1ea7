"""Forwards and the SOCKS listener: TCP goodput of programs that know nothing of the overlay, connections, datagrams."""

import asyncio
import time
from typing import Any

from ygg import SocksNetwork
from ygg.proxy import DatagramForward, Forward, OverlayRoute, SocksProxy, overlay, overlay_udp, tcp, udp
from ygg.stream.held import take_over

from . import bulk, datagrams
from .nodes import Member, pair

WARM_UP = 0.7


async def _rate(sink: bulk.Sink, source: bulk.Source, seconds: float) -> float:
    await asyncio.sleep(WARM_UP)
    before = bulk.sample(sink.count)
    await asyncio.sleep(seconds)
    rate = bulk.rates(before, bulk.sample(sink.count))[0]
    source.stop()
    return rate


async def _goodput(one: Member, other: Member, seconds: float) -> dict[str, float]:
    """A program on this machine to another, by two forwards, and by a SOCKS listener and a forward."""
    loop, sink = asyncio.get_running_loop(), bulk.Sink()
    server: Any = await loop.create_server(lambda: sink, "127.0.0.1", 0)
    found = {}
    async with Forward(overlay(other.vtun), tcp("127.0.0.1", server.sockets[0].getsockname()[1])) as far:
        async with Forward(tcp("127.0.0.1", 0), overlay(one.vtun, other.host, far.port)) as near:
            source = bulk.Source()
            await loop.create_connection(lambda: source, "127.0.0.1", near.port)
            found["forward_mib_s"] = await _rate(sink, source, seconds)
        async with SocksProxy(tcp("127.0.0.1", 0), OverlayRoute(one.vtun)) as proxy:
            source = bulk.Source()
            network = SocksNetwork(f"socks5://127.0.0.1:{proxy.port}")
            take_over(await network.connect_stream(other.host, far.port), source)
            found["socks_mib_s"] = await _rate(sink, source, seconds)
    server.close()
    return found


class _Once(asyncio.Protocol):
    """A client that sends a byte, and ends when it has one back."""

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Send it."""
        self._transport = transport
        self._transport.write(b"x")

    def data_received(self, data: bytes) -> None:
        """Close."""
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self.over.set_result(None)


class _Echo(asyncio.Protocol):
    """A server that sends back what comes."""

    def connection_made(self, transport: Any) -> None:
        """Keep it."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self._transport.write(data)


async def _connections(one: Member, other: Member, seconds: float) -> float:
    """Connections a second through one forward into the overlay, sixteen at once, a byte there and back on each."""
    loop = asyncio.get_running_loop()
    server = await other.vtun.create_server(_Echo, port=0)
    target = overlay(one.vtun, other.host, server.sockets[0].getsockname()[1])
    count, end = 0, 0.0
    async with Forward(tcp("127.0.0.1", 0), target) as forward:

        async def connect() -> None:
            nonlocal count
            while time.perf_counter() < end:
                _, client = await loop.create_connection(_Once, "127.0.0.1", forward.port)
                await client.over
                count += 1

        start = time.perf_counter()
        end = start + seconds
        await asyncio.gather(*(connect() for _ in range(16)))
        took = time.perf_counter() - start
    server.close()
    return count / took


async def _datagrams(one: Member, other: Member, seconds: float) -> dict[str, float]:
    """Datagrams of 64 bytes a second, of a program on this machine: into the overlay, and to a port beside it."""
    loop = asyncio.get_running_loop()
    far, arrived = await other.vtun.create_datagram_endpoint(datagrams.Count, ("::", 0))
    target = overlay_udp(one.vtun, other.host, far.get_extra_info("sockname")[1])
    beside, plain = await loop.create_datagram_endpoint(datagrams.Count, ("127.0.0.1", 0))
    found = {}
    async with DatagramForward(udp("127.0.0.1", 0), target) as forward:
        for name, port, count in (("loopback_udp_per_s", beside.get_extra_info("sockname")[1], plain),
                                  ("forward_udp_per_s", forward.port, arrived)):
            source, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port))
            found[name] = await datagrams.rate(source, None, count, seconds, window=64)
            source.close()
    far.close()
    beside.close()
    return found


async def _measure(seconds: float) -> dict[str, float]:
    async with pair(65535) as (one, other):
        found = await _goodput(one, other, seconds)
        found["forward_conn_per_s"] = await _connections(one, other, seconds)
        return found | await _datagrams(one, other, seconds)


def proxies(seconds: float) -> dict[str, float]:
    """Measure two nodes and all programs in this process, at an MTU of 65,535 bytes."""
    return asyncio.run(_measure(seconds))
