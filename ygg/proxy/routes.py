"""How a proxy reaches the hosts that its clients name: by the overlay, by another network, or by the first rule."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from ygg.errors import BlockedHostError, OperationNotSupported, ResolveError, from_os_error
from ygg.names import Names
from ygg.network.base import Network
from ygg.proxy.datagram_endpoints import Factory, OverlayUdpEndpoint
from ygg.proxy.endpoints import Listening, OverlayEndpoint
from ygg.stream.held import HoldingProtocol
from ygg.transport.pattern import HostPattern, normal
from ygg.vtun.addresses import packed

if TYPE_CHECKING:
    from ygg.vtun import VTun


class Route:
    """A way to hosts. One of your own says how to connect; what it does not say is not supported."""

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still, to a host by its address or name. Raises an OSError."""
        raise OperationNotSupported(f"{type(self).__name__} has no connections")

    async def connect_datagram(self, host: str, port: int, factory: Factory) -> asyncio.DatagramTransport:
        """Return a new port that is joined to that of a host, with a protocol of `factory`. Raises an OSError."""
        raise OperationNotSupported(f"{type(self).__name__} has no datagrams")

    async def resolve(self, host: str) -> str:
        """Return the numeric address of a host. Raises an OSError."""
        raise OperationNotSupported(f"{type(self).__name__} does not tell addresses")

    async def reverse(self, address: str) -> str:
        """Return a name of a numeric address. Raises an OSError."""
        raise OperationNotSupported(f"{type(self).__name__} does not tell names")

    async def listen(self, host: str, factory: Callable[[], HoldingProtocol]) -> Bound:
        """Listen at a free port for a connection of `host`, or of any host where that is "". Raises an OSError."""
        raise OperationNotSupported(f"{type(self).__name__} has no listeners")


@dataclass(frozen=True, slots=True)
class Bound:
    """A port that waits for a connection."""

    listening: Listening
    """What accepts it."""
    address: tuple[str, int]
    """Where others reach it."""
    expected: str
    """The address that it is to come from; "" for any."""


class OverlayRoute(Route):
    """To nodes, by a VTun, which stays its owner's to close; `names` says what they are called, else the VTun's."""

    def __init__(self, vtun: VTun, names: Names | None = None) -> None:
        self._vtun = vtun
        own = vtun.names if isinstance(vtun.names, Names) else Names(vtun=vtun)
        self._names = names or own

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still. Raises an OSError, `ResolveError` among them."""
        transport, _ = await self._vtun.create_connection(HoldingProtocol, await self._names.resolve(host), port)
        return transport

    async def connect_datagram(self, host: str, port: int, factory: Factory) -> asyncio.DatagramTransport:
        """Return a new port that is joined to that of a node. Raises an OSError."""
        return await OverlayUdpEndpoint(self._vtun, await self._names.resolve(host), port).connect(factory)

    async def resolve(self, host: str) -> str:
        """Return the address of a node. Raises an OSError."""
        return str(IPv6Address(packed(await self._names.resolve(host))))

    async def reverse(self, address: str) -> str:
        """Return a name of a node. Raises an OSError."""
        return self._names.reverse(IPv6Address(await self.resolve(address)))

    async def listen(self, host: str, factory: Callable[[], HoldingProtocol]) -> Bound:
        """Listen at a free port of the VTun. Raises an OSError."""
        expected = await self.resolve(host) if host else ""
        listening = await OverlayEndpoint(self._vtun).listen(factory)
        port = int(listening.addresses[0].rpartition(":")[2])
        return Bound(listening, (str(self._vtun.addresses[0]), port), expected)


class NetworkRoute(Route):
    """To the hosts of a network: the system's, another proxy's."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still. Raises an OSError."""
        try:
            return await self._network.connect_stream(host, port)
        except OSError as error:
            raise from_os_error(error) from None

    async def connect_datagram(self, host: str, port: int, factory: Factory) -> asyncio.DatagramTransport:
        """Return a new port that is joined to that of a host. Raises an OSError."""
        transport, _ = await self._network.create_datagram_endpoint(factory, remote_addr=(host, port))
        return transport

    async def resolve(self, host: str) -> str:
        """Return the address of a host. Raises an OSError; where the network leaves names to a proxy, a ResolveError.
        """
        found = (await self._network.resolve(host))[0]
        try:
            return str(ip_address(found.partition("%")[0]))
        except ValueError:
            raise ResolveError(f"{host[:80]}: the network does not tell addresses of names") from None


class Routes(Route):
    """Rules, of which the first that matches says how a host is reached; None refuses it. So does no rule at all.

    A rule is a pattern and a route. Patterns are hosts (`example.org`), names with `*` (`*.onion`) and prefixes
    (`10.0.0.0/8`, of numeric hosts alone), as for `TransportManager`.
    """

    def __init__(self, rules: Iterable[tuple[str, Route | None]]) -> None:
        self._rules = [(HostPattern(pattern), route) for pattern, route in rules]

    def route(self, host: str) -> Route | None:
        """Return how a host is reached; None: not at all."""
        spelled = normal(host)
        return next((route for pattern, route in self._rules if pattern.matches(spelled)), None)

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still. Raises an OSError, `BlockedHostError` where no rule leads to the host."""
        return await self._route(host).connect(host, port)

    async def connect_datagram(self, host: str, port: int, factory: Factory) -> asyncio.DatagramTransport:
        """Return a new port that is joined to that of a host. Raises as `connect()`."""
        return await self._route(host).connect_datagram(host, port, factory)

    async def resolve(self, host: str) -> str:
        """Return the address of a host. Raises as `connect()`."""
        return await self._route(host).resolve(host)

    async def reverse(self, address: str) -> str:
        """Return a name of an address. Raises as `connect()`."""
        return await self._route(address).reverse(address)

    async def listen(self, host: str, factory: Callable[[], HoldingProtocol]) -> Bound:
        """Listen for a connection of a host; of any host by the first route that can. Raises as `connect()`."""
        if host:
            return await self._route(host).listen(host, factory)
        for _, route in self._rules:
            if route is not None:
                with contextlib.suppress(OperationNotSupported):
                    return await route.listen(host, factory)
        raise OperationNotSupported("no rule has listeners")

    def _route(self, host: str) -> Route:
        route = self.route(host)
        if route is None:
            raise BlockedHostError(f"{host[:80]}: no rule leads there")
        return route
