"""Datagrams inside the process."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ygg.errors import ConnectionRefused, MessageTooBig, NetworkError
from ygg.network.memory import MemorySocket
from ygg.network.ports import Address, Ports

MAX_DATAGRAM = 65507
"""Payload bytes of the largest UDP datagram over IPv4."""

QUEUE = 256
"""Datagrams a port holds that its protocol has not seen; more are lost, as in a socket's buffer."""


class MemoryDatagramTransport(asyncio.DatagramTransport):
    """A datagram port of a `LoopbackNetwork`."""

    def __init__(
        self,
        ports: "Ports[MemoryDatagramTransport]",
        address: Address,
        port: int,
        remote: tuple[Address, int] | None,
        protocol: asyncio.DatagramProtocol,
        destination: Callable[[str], Address],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._ports, self._host, self._remote = ports, address, remote
        self._port = ports.bind(address, port, self)
        self._protocol, self._destination = protocol, destination
        self._queue: deque[tuple[bytes, tuple[Any, ...]]] = deque()
        self._closing = False
        sockname = _sockaddr(address, self._port)
        peername = _sockaddr(*remote) if remote else None
        sock = MemorySocket(sockname, peername or ())
        super().__init__({"sockname": sockname, "peername": peername, "socket": sock})

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        if self._closing:
            return
        try:
            self._send(bytes(data), addr)
        except NetworkError as error:
            self._loop.call_soon(self._report, error)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._ports.release(self._host, self._port)
        self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self._queue.clear()
        self.close()

    def _send(self, data: bytes, addr: tuple[Any, ...] | None) -> None:
        if addr is None:
            if self._remote is None:
                raise ValueError("an address is needed to send from an unconnected port")
            host, port = self._remote
        else:
            host, port = self._destination(addr[0]), addr[1]
        if len(data) > MAX_DATAGRAM:
            raise MessageTooBig
        receiver = self._ports.find(host, port)
        source = self._host
        if source.is_unspecified:
            source = host
        if receiver is not None and receiver._remote in (None, (source, self._port)):
            receiver._receive(data, _sockaddr(source, self._port))
        elif self._remote is not None:
            self._loop.call_soon(self._report, ConnectionRefused())

    def _receive(self, data: bytes, source: tuple[Any, ...]) -> None:
        if len(self._queue) >= QUEUE:
            return
        self._queue.append((data, source))
        if len(self._queue) == 1:
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        batch, self._queue = self._queue, deque()
        for data, source in batch:
            if self._closing:
                return
            self._protocol.datagram_received(data, source)

    def _report(self, error: OSError) -> None:
        if not self._closing:
            self._protocol.error_received(error)


def _sockaddr(address: Address, port: int) -> tuple[Any, ...]:
    return (str(address), port) if address.version == 4 else (str(address), port, 0, 0)
