"""Two VTuns on one wire and services between them and this machine, for the tests of `ygg.proxy`."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any


class Peer(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.data = bytearray()
        self.eof = False
        self.over: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.eof = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(exc)

    async def lost(self) -> None:
        """Return when the connection has ended; raise the error, if that was one."""
        if (error := await self.over) is not None:
            raise error


@asynccontextmanager
async def backend(network: Any = None, host: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[Peer]]]:
    """Serve `Peer`s on this machine, or on a VTun; yield the port and the list of them."""
    peers: list[Peer] = []

    def factory() -> Peer:
        peers.append(Peer())
        return peers[-1]

    server = await (network or asyncio.get_running_loop()).create_server(factory, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], peers
    finally:
        server.close()
        for peer in peers:
            if peer.transport is not None and not peer.over.done():
                peer.transport.abort()
                await peer.over


async def client(port: int, network: Any = None, host: str = "127.0.0.1") -> Peer:
    """Connect to a port of this machine, or of a VTun."""
    _, peer = await (network or asyncio.get_running_loop()).create_connection(Peer, host, port)
    return peer


def reset_by_the_system(peer: Peer) -> None:
    """End a connection of this machine with a reset, where it has not ended yet."""
    with contextlib.suppress(ValueError, OSError):  # uvloop's, where it has
        sock = peer.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.transport.abort()


def send_and_reset(port: int, data: bytes) -> None:
    """Connect to a port of this machine, send, and reset at once: before the other side has accepted, on its loop."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Port(asyncio.DatagramProtocol):
    """Keeps the datagrams that come, and answers each with what `answer` makes of it."""

    def __init__(self, answer: Callable[[bytes], bytes | None] = lambda data: None) -> None:
        self.transport: Any = None
        self.arrived: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.arrived.append((data, addr))
        if (answer := self._answer(data)) is not None:
            self.transport.sendto(answer, addr)

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    @property
    def data(self) -> list[bytes]:
        """What has come."""
        return [data for data, _ in self.arrived]

    @property
    def number(self) -> int:
        """Its port."""
        number: int = self.transport.get_extra_info("sockname")[1]
        return number


@asynccontextmanager
async def ports(*hosts: str, network: Any = None, answer: Any = bytes.upper) -> AsyncIterator[list[Port]]:
    """Open a port at each host, of this machine or of a VTun."""
    made = []
    for host in hosts:
        make = (network or asyncio.get_running_loop()).create_datagram_endpoint
        _, port = await make(lambda: Port(answer), local_addr=(host, 0))
        made.append(port)
    try:
        yield made
    finally:
        for port in made:
            port.transport.close()


async def sender(number: int, network: Any = None, host: str = "127.0.0.1") -> Port:
    """Return a port that is joined to one of this machine, or of a VTun."""
    make = (network or asyncio.get_running_loop()).create_datagram_endpoint
    _, port = await make(Port, remote_addr=(host, number))
    made: Port = port
    return made
