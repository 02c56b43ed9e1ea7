"""Ends of connections and datagram ports for checks: what they do, and how they are closed."""

import asyncio
from typing import Any

from ygg.network.base import Listener
from ygg.testing.conformance.subject import Subject


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until the end of the stream."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whether or not the other end has done so."""
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def shut(listener: Listener, *transports: asyncio.Transport) -> None:
    """Close a listener, and abort connections."""
    listener.close()
    await listener.wait_closed()
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0.001)


def port_of(listener: Listener) -> int:
    """Return the port that a listener is at."""
    return int(listener.address.rpartition(":")[2])


class Datagrams(asyncio.DatagramProtocol):
    """Keeps or echoes what arrives."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.echo = False
        """Whether datagrams are sent back."""
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()
        """What has arrived and was not sent back."""
        self.error: asyncio.Future[Exception] = loop.create_future()
        """The first error that the port was told of."""
        self.closed: asyncio.Future[None] = loop.create_future()
        """Done once the port is closed."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.echo:
            self.transport.sendto(data, addr)
        else:
            self.arrived.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if not self.error.done():
            self.error.set_result(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)

    async def get(self) -> bytes:
        """Return the next datagram; TimeoutError when none comes within five seconds."""
        async with asyncio.timeout(5):
            return await self.arrived.get()


async def port_of_datagrams(subject: Subject) -> Datagrams:
    """Return the protocol of a datagram port of the network that dials."""
    _, protocol = await subject.network.create_datagram_endpoint(Datagrams, ("", 0))
    return protocol
