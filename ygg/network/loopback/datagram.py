"""Datagrams inside the process."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ygg.errors import ConnectionRefused, MessageTooBig, NetworkError, NetworkUnreachable, ResolveError
from ygg.network.addresses import IPAddress, plain
from ygg.network.loopback.ports import Ports, sockaddr, source_of
from ygg.stream.memory import MemorySocket

MAX_DATAGRAM = {4: 65507, 6: 65527}
"""Payload bytes of the largest UDP datagram, by the version of IP: in IPv4 the length counts the IP header too."""

QUEUE = 256
"""Datagrams a port holds that its protocol has not seen; more are lost, as in a socket's buffer."""


class MemoryDatagramTransport(asyncio.DatagramTransport):
    """A datagram port of a `LoopbackNetwork`; a `wide` one is what the kernel has a socket of IPv6 for."""

    def __init__(
        self,
        ports: "Ports[MemoryDatagramTransport]",
        address: IPAddress,
        port: int,
        remote: tuple[IPAddress, int] | None,
        protocol: asyncio.DatagramProtocol,
        destination: Callable[[str, IPAddress], IPAddress],
        *,
        wide: bool,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._ports, self._host, self._remote, self._wide = ports, address, remote, wide
        if remote is not None:
            self._require_way(remote[0])
        self._port = ports.bind(address, port, self)
        self._protocol, self._destination = protocol, destination
        self._queue: deque[tuple[bytes, tuple[Any, ...]]] = deque()
        self._closing = False
        sockname = sockaddr(address, self._port, wide=wide)
        peername = sockaddr(*remote, wide=wide) if remote else None
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
        if self._remote is not None:
            host, port = self._remote  # whatever `addr` says, as with a connected socket of asyncio's
        elif addr is not None:
            host, port = self._target(addr[0]), addr[1]
        else:
            raise ValueError("an address is needed to send from an unconnected port")
        if len(data) > MAX_DATAGRAM[host.version]:
            raise MessageTooBig
        receiver = self._ports.find(host, port)
        source = source_of(host) if self._host.is_unspecified else self._host
        if receiver is not None and receiver._remote in (None, (source, self._port)):
            receiver._receive(data, sockaddr(source, self._port, wide=receiver._wide))
        elif self._remote is not None:
            self._loop.call_soon(self._report, ConnectionRefused())

    def _target(self, text: str) -> IPAddress:
        """Return the address sent to. Raises what the resolver or the kernel would of one of the other family."""
        try:
            host, mapped = plain(text), ":" in text
        except ValueError:
            raise ResolveError(f"{text[:64]}: no such host") from None
        if (host.version == 4 and not mapped) if self._wide else host.version == 6:
            raise ResolveError("address family for hostname not supported")
        host = self._destination(text, self._host)
        self._require_way(host)
        return host

    def _require_way(self, host: IPAddress) -> None:
        if self._host.version != host.version and not (self._wide and self._host.is_unspecified):
            raise NetworkUnreachable if host.version == 4 else NetworkError("address family not supported")

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
