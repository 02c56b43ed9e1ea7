"""A network inside the process: no sockets, no kernel, the same manners."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeVar

from ygg.errors import (
    AddressNotAvailable,
    ConnectionRefused,
    ConnectTimeout,
    ListenerClosed,
    NetworkUnreachable,
    ResolveError,
)
from ygg.network.accept_queue import AcceptQueue
from ygg.network.addresses import IPAddress, common_family, plain, spell, unspecified
from ygg.network.base import Admit, Listener, Network, Watch, first_success
from ygg.network.loopback.datagram import MemoryDatagramTransport
from ygg.network.loopback.ports import Ports, sockaddr, source_of
from ygg.stream.held import HoldingProtocol
from ygg.stream.memory import MemoryTransport
from ygg.url import host_port

D = TypeVar("D", bound=asyncio.DatagramProtocol)

LOCAL = ("127.0.0.0/8", "::1")
"""What every loopback network has for addresses of its own."""


class LoopbackNetwork(Network):
    """Hosts of one process, reaching each other through memory.

    Its addresses are 127.0.0.0/8, ::1 and those in `addresses` (addresses or prefixes); its names are `localhost` and
    those in `hosts` (name to addresses, whose addresses become its own too). Ports, wildcard binds, refusals,
    half-closes and resets follow the kernel's habits. Two `LoopbackNetwork`s know nothing of each other.
    """

    def __init__(self, *, addresses: Sequence[str] = (), hosts: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__()
        self._hosts = {"localhost": ["127.0.0.1", "::1"]}
        self._hosts |= {name.lower().rstrip("."): list(found) for name, found in (hosts or {}).items()}
        named = [address for found in self._hosts.values() for address in found]
        self._prefixes = [ip_network(prefix, strict=False) for prefix in (*LOCAL, *addresses, *named)]
        self._listeners: Ports[LoopbackListener] = Ports()
        self.sources: Ports[None] = Ports()
        """Addresses and ports that connections come from."""
        self._datagrams: Ports[MemoryDatagramTransport] = Ports()
        self._watches: dict[_LoopbackWatch, None] = {}  # in order, so that each run tells them in the same one

    def changed(self) -> None:
        """Tell those that watch the network that hosts may have come into reach, as a new route of a machine does."""
        for watch in list(self._watches):
            watch.told()

    def watch(self, told: Callable[[], object]) -> Watch:
        return _LoopbackWatch(self._watches, told)

    async def _resolve(self, host: str) -> list[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        if found := self._hosts.get(host.lower().rstrip(".")):
            return list(found)
        raise ResolveError(f"{host[:64]}: no such host")

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:

        async def attempt(address: str) -> asyncio.Transport:
            target = self._destination(address)
            listener = self._listeners.find(target, port)
            if listener is None:
                raise ConnectionRefused
            return await self._join(listener, target, port, timeout, wide=ip_address(address).version == 6)

        return await first_success(await self.resolve(host), attempt)

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        address = (await self.resolve(host))[0] if host else "::"
        bound, wide = self._bindable(address), ip_address(address).version == 6
        return LoopbackListener(self._listeners, bound, port, backlog, self.sources, admit, wide=wide)

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        remotes = await self.resolve(remote_addr[0]) if remote_addr else []
        locals_ = await self.resolve(local_addr[0]) if local_addr and local_addr[0] else []
        near, far = common_family(locals_, remotes)
        bound = self._bindable(near) if near else None
        remote = (self._destination(far, bound), remote_addr[1]) if far and remote_addr else None
        wide = ip_address(near or far or "::").version == 6
        if local_addr:
            address, port = bound or unspecified(far or "::"), local_addr[1]
        else:
            address, port = source_of(remote[0]) if remote else IPv6Address(0), 0
        protocol = protocol_factory()
        transport = MemoryDatagramTransport(
            self._datagrams, address, port, remote, protocol, self._destination, wide=wide
        )
        admit(transport)
        protocol.connection_made(transport)
        return transport, protocol

    async def _join(
        self, listener: "LoopbackListener", target: IPAddress, port: int, seconds: float, *, wide: bool
    ) -> MemoryTransport:
        """Make both ends of a connection and leave one with `listener`."""
        source = source_of(target)
        source_port = self.sources.bind(source, 0, None, beside=self._listeners)
        near, far = [
            [sockaddr(address, number, wide=side) for side in (wide, listener.wide)]
            for address, number in ((source, source_port), (target, port))
        ]
        client = MemoryTransport(near[0], far[0], lambda: self.sources.release(source, source_port))
        server = MemoryTransport(far[1], near[1])
        client.start(server, HoldingProtocol())
        server.start(client, HoldingProtocol())
        try:
            async with asyncio.timeout(seconds):
                await listener.queue.put(server)
            listener.admit(server)
        except BaseException as error:
            client.abort()
            server.abort()
            if isinstance(error, ListenerClosed):
                raise ConnectionRefused from None
            if isinstance(error, TimeoutError):
                raise ConnectTimeout from None
            raise
        return client

    def _owns(self, address: IPAddress) -> bool:
        return any(address in prefix for prefix in self._prefixes)

    def _destination(self, address: str, source: IPAddress | None = None) -> IPAddress:
        """Return the address dialed, from `source` if that is known: as in the kernel, the unspecified one is here."""
        target = plain(address)
        if target.is_unspecified:
            if source is None or source.version == 6 or source.is_unspecified:
                return IPv4Address("127.0.0.1") if target.version == 4 else IPv6Address("::1")
            return source if target.version == 4 else IPv4Address("127.0.0.1")
        if not self._owns(target):
            raise NetworkUnreachable
        return target

    def _bindable(self, text: str) -> IPAddress:
        address = plain(text)
        if not address.is_unspecified and not self._owns(address):
            raise AddressNotAvailable
        return address


class LoopbackListener(Listener):
    """A listener of a `LoopbackNetwork`; dials wait, up to their timeout, while the backlog is full."""

    def __init__(
        self,
        ports: "Ports[LoopbackListener]",
        address: IPAddress,
        port: int,
        backlog: int,
        sources: Ports[None],
        admit: Admit,
        *,
        wide: bool,
    ) -> None:
        self.wide = wide
        """Whether the kernel would have a socket of IPv6 for it, to which IPv4 is mapped."""
        self.admit = admit
        """What is called with each connection that a dial makes."""
        self.queue: AcceptQueue[MemoryTransport] = AcceptQueue(backlog)
        """Connections that wait to be accepted."""
        self._port = ports.bind(address, port, self, beside=sources)
        self._ports, self._host = ports, address
        self._closed = asyncio.Event()

    @property
    def address(self) -> str:
        return host_port(str(self._host), self._port)

    def is_closing(self) -> bool:
        return self.queue.closed

    async def accept(self) -> tuple[asyncio.Transport, str]:
        transport = await self.queue.get()
        return transport, spell(transport.get_extra_info("peername"))

    def close(self) -> None:
        if self.queue.closed:
            return
        self._ports.release(self._host, self._port)
        for transport in self.queue.close():
            transport.reset()
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()


class _LoopbackWatch:
    def __init__(self, watches: "dict[_LoopbackWatch, None]", told: Callable[[], object]) -> None:
        self.told = told
        self._watches = watches
        watches[self] = None

    def close(self) -> None:
        self._watches.pop(self, None)
