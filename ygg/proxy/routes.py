"""How a proxy reaches the hosts that its clients name: by the overlay, by another network, or by the first rule."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ygg.errors import BlockedHostError, from_os_error
from ygg.network.base import Network
from ygg.proxy.names import Names
from ygg.stream.held import HoldingProtocol
from ygg.transport.pattern import HostPattern, normal

if TYPE_CHECKING:
    from ygg.vtun import VTun


class Route(Protocol):
    """A way to hosts."""

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still, to a host by its address or name. Raises an OSError."""


class OverlayRoute:
    """To nodes, by a VTun, which stays its owner's to close; `names` says what they are called."""

    def __init__(self, vtun: VTun, names: Names | None = None) -> None:
        self._vtun = vtun
        self._names = names or Names()

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still. Raises an OSError, `ResolveError` among them."""
        transport, _ = await self._vtun.create_connection(HoldingProtocol, await self._names.resolve(host), port)
        return transport


class NetworkRoute:
    """To the hosts of a network: the system's, another proxy's."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still. Raises an OSError."""
        try:
            return await self._network.connect_stream(host, port)
        except OSError as error:
            raise from_os_error(error) from None


class Routes:
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
        route = self.route(host)
        if route is None:
            raise BlockedHostError(f"{host[:80]}: no rule leads there")
        return await route.connect(host, port)
