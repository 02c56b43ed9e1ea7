"""One end of what passes over a wire, in a process of its own: `python -m wires.ends kernel | MTU`.

With an MTU it is a node of ours, whose streams are those of its VTun; `kernel` is the sockets of the host.
"""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from remote import obey
from ygg import Config, Core, NativeNetwork, TCPTransport, TLSTransport, TransportManager, VTun
from ygg.transport import QuicTransport, Transport, WSTransport

SLOT = 0.1
"""Seconds of arrivals that are counted together."""
PIECE = bytes(1 << 16)
REQUEST = bytes(64)
PATIENCE = 10.0


class Echo(asyncio.DatagramProtocol):
    """Sends datagrams back."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(data, addr)


class Answers(asyncio.DatagramProtocol):
    """Hears the answers to numbered datagrams, and notes when."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}
        self._came = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.at.setdefault(int.from_bytes(data[:4]), time.monotonic())
        self._came.set()

    async def wait(self, count: int, seconds: float) -> None:
        """Wait until so many have been heard, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.at) < count:
                    self._came.clear()
                    await self._came.wait()


async def paced(seconds: float, every: float) -> AsyncIterator[int]:
    """Yield numbers, one after each interval."""
    begun = time.monotonic()
    for number in range(int(seconds / every)):
        await asyncio.sleep(max(0.0, begun + number * every - time.monotonic()))
        yield number


class Ends:
    """What an end does, whatever carries it."""

    def __init__(self, connect: Callable[..., Awaitable[Any]], serve: Callable[..., Awaitable[Any]],
                 datagrams: Callable[..., Awaitable[Any]]) -> None:
        self._connect, self._serve, self._datagrams = connect, serve, datagrams
        self._arrived: dict[int, dict[int, int]] = {}
        self._servers: list[Any] = []

    async def _server(self, handle: Callable[..., Awaitable[None]]) -> int:
        server = await self._serve(handle, port=0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def sink(self) -> int:
        """Count what comes by one connection; return the port."""
        slots: dict[int, int] = {}

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(1 << 18):
                    slot = int(time.monotonic() / SLOT)
                    slots[slot] = slots.get(slot, 0) + len(data)
            writer.close()

        port = await self._server(handle)
        self._arrived[port] = slots
        return port

    async def arrived(self, port: int) -> dict[int, int]:
        """Return the bytes that came to a sink, by slot."""
        return self._arrived[port]

    async def echo(self) -> int:
        """Answer requests with themselves; return the port."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    writer.write(await reader.readexactly(len(REQUEST)))
            writer.close()

        return await self._server(handle)

    async def bulk(self, host: str, port: int, seconds: float) -> None:
        """Send as much as goes."""
        _, writer = await self._connect(host, port)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    writer.write(PIECE)
                    await writer.drain()
        writer.transport.abort()

    async def requests(self, host: str, port: int, seconds: float, every: float = 0.1) -> list[float]:
        """Send a request at a time over one connection; return the ms until each was answered, at most ten seconds."""
        reader, writer = await self._connect(host, port)
        self._no_delay(writer)
        times = []
        async for _ in paced(seconds, every):
            begun = time.monotonic()
            writer.write(REQUEST)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.readexactly(len(REQUEST)), PATIENCE)
            times.append(1000 * (time.monotonic() - begun))
            if times[-1] >= 1000 * PATIENCE:
                break
        writer.close()
        return times

    async def source(self) -> int:
        """Send as many bytes as a line asks for, then the end; return the port."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                writer.write(bytes(int(await reader.readline())))
                await writer.drain()
            writer.close()

        return await self._server(handle)

    async def fetches(self, host: str, port: int, size: int, count: int, every: float) -> list[float]:
        """Fetch bytes over a connection of its own each time; return the ms from its start until all had come."""
        times = []
        for _ in range(count):
            begun = time.monotonic()
            reader, writer = await self._connect(host, port)
            writer.write(b"%d\n" % size)
            await reader.readexactly(size)
            times.append(1000 * (time.monotonic() - begun))
            writer.close()
            await asyncio.sleep(every)
        return times

    def _no_delay(self, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def answer(self) -> int:
        """Answer datagrams; return the port."""
        transport, _ = await self._datagrams(Echo)
        self._servers.append(transport)
        return int(transport.get_extra_info("sockname")[1])

    async def pings(self, host: str, port: int, seconds: float, every: float = 0.1) -> list[float | None]:
        """Send datagrams at a certain pace; return the ms until each was answered, None for one that was not."""
        transport, answers = await self._datagrams(Answers, remote_addr=(host, port))
        sent = []
        async for number in paced(seconds, every):
            sent.append(time.monotonic())
            transport.sendto(number.to_bytes(4) + bytes(52))
        await answers.wait(len(sent), PATIENCE)
        transport.close()
        return [1000 * (answers.at[n] - at) if n in answers.at else None for n, at in enumerate(sent)]


class Kernel(Ends):
    """The host's own sockets."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        async def datagrams(factory: Callable[[], Any], remote_addr: Any = None) -> Any:
            if remote_addr:
                return await loop.create_datagram_endpoint(factory, remote_addr=remote_addr)
            bound = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.bind(("::", 0))
            return await loop.create_datagram_endpoint(factory, sock=bound)

        async def serve(handle: Any, port: int) -> Any:
            bound = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
            return await asyncio.start_server(handle, sock=bound)

        super().__init__(asyncio.open_connection, serve, datagrams)


class Ours(Ends):
    """A node, and the streams of its VTun."""

    def __init__(self, core: Core, vtun: VTun) -> None:
        super().__init__(vtun.open_connection, vtun.start_server, vtun.create_datagram_endpoint)
        self._core, self._lost = core, 0

    async def address(self) -> str:
        """Return the overlay address."""
        return str(self._core.address)

    async def listen(self, url: str) -> str:
        """Accept peers; return where."""
        return str((await self._core.listen(url)).url)

    async def call(self, url: str) -> None:
        """Connect to a peer."""
        await self._core.call_peer(url)

    async def keep(self, url: str) -> None:
        """Stay connected to a peer."""
        self._core.add_peer(url)

    async def reach(self, host: str, port: int) -> None:
        """Open a connection, so that path and session are there."""
        _, writer = await self._connect(host, port)
        writer.close()

    async def uptime(self) -> float:
        """Return the seconds for which the link has been up; 0 when it is down."""
        peer = self._core.peers()[0]
        return peer.uptime if peer.up else 0.0


def transports(config: Config) -> list[Transport]:
    """Return one of each kind that crosses a wire."""
    return [TCPTransport(), TLSTransport(config.certificate), WSTransport(config.certificate),
            QuicTransport(config.certificate)]


@contextlib.asynccontextmanager
async def ours(mtu: int) -> AsyncIterator[Ours]:
    """Run a node."""
    config = Config.generate()
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        for transport in transports(config):
            manager.register(transport)
        async with Core(config.certificate, manager) as core, VTun.over(core, mtu=mtu) as vtun:
            yield Ours(core, vtun)


async def main(kind: str) -> None:
    """Obey until the input ends."""
    if kind == "kernel":
        await obey(Kernel(asyncio.get_running_loop()))
    else:
        async with ours(int(kind)) as worker:
            await obey(worker)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
