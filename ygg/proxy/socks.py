"""A SOCKS listener: programs that can use a proxy reach the overlay by it, by addresses and by names.

Theory of operation. A task negotiates and does what the client asks for: CONNECT, and BIND once a host has come, end
with a pair of connections, which needs no task. UDP ASSOCIATE has the task wait for the end of the client's TCP
connection. Tor's RESOLVE and RESOLVE_PTR are answered, and that is all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from ygg.errors import ConnectTimeout, ProxyError, ResolveError
from ygg.network.socks import exchange, server
from ygg.network.socks.wire import (
    ASSOCIATE,
    BIND,
    CONNECT,
    NO_COMMAND,
    RESOLVE,
    RESOLVE_PTR,
    VERSION_4,
    reply_for,
)
from ygg.proxy.admission import Admission
from ygg.proxy.association import Association
from ygg.proxy.binding import Binding
from ygg.proxy.endpoints import Endpoint
from ygg.proxy.flows import DatagramLimits
from ygg.proxy.limits import Limits
from ygg.proxy.routed import RoutedService
from ygg.proxy.routes import Route
from ygg.proxy.service import Arrival, Connection, Leaving
from ygg.proxy.sockets import keep_alive, resume, told_by
from ygg.url import host_port

log = logging.getLogger("ygg.proxy")


class SocksProxy(RoutedService):
    """Serves SOCKS 4, 4a and 5 at `entrance`, and reaches what its clients ask for by `route`.

    With `users`, passwords by their names, clients have to log in by RFC 1929, and version 4, which has no passwords,
    is refused. With `allow`, a list of keys, addresses and subnets (see `Allowed`), all other clients are reset.
    CONNECT, BIND and UDP ASSOCIATE are served, and Tor's RESOLVE and RESOLVE_PTR, as far as the route has them;
    `datagrams` has the bounds of the flows of UDP, those of all clients together. Counters of its own: `malformed` and
    `unanswered` (said nothing in time, or hung up), `foreign` (came to a client's port, but not from the host it waits
    for), and for datagrams those of `DatagramForward`, with `fragments` and `malformed_datagrams`.
    """

    def __init__(
        self,
        entrance: Endpoint,
        route: Route,
        limits: Limits | None = None,
        *,
        users: Mapping[str, str] | None = None,
        allow: Iterable[str] | None = None,
        datagrams: DatagramLimits | None = None,
    ) -> None:
        super().__init__(entrance, route, limits, users=users, allow=allow)
        self.datagrams = datagrams or DatagramLimits()
        """The bounds of flows of UDP."""
        self._flow_admission = Admission(self.datagrams.flows, self.datagrams.per_source)
        self._associations: set[Association] = set()
        self._past_datagrams: Counter[str] = Counter()
        self._flow_counters: Counter[str] = Counter()

    def counters(self) -> dict[str, int]:
        """Return how often each thing has happened, by name; of flows of UDP with `flows_` in front of those names
        that connections have too.
        """
        found = Counter(super().counters())
        for name, count in self._flow_counters.items():
            found[f"flows_{name}" if name in _OF_BOTH else name] += count
        found.update(self._past_datagrams)
        for association in self._associations:
            found.update(association.counts())
        return dict(found)

    async def _serve(self, connection: Connection) -> None:
        request = await self._negotiate(connection)
        if request is None:
            return
        connection.target = host_port(request.host, request.port)
        serve = _COMMANDS.get(request.command)
        if serve is None:
            await self._part(connection, server.failure(request, NO_COMMAND))
            return
        try:
            await serve(self, connection, request)
        except OSError as error:
            self.count("failed")
            log.debug("%s: %s asked for %s: %s", self, connection.peer, connection.target, error)
            await self._part(connection, server.failure(request, reply_for(error)))

    async def _negotiate(self, connection: Connection) -> server.Request | None:
        check = self.knows if self.wants_users else None
        held = Arrival(self, connection)
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                return await exchange.run(
                    connection.transport, server.negotiate(check), held, hung_up="client hung up"
                )
        except server.Refused as refused:
            self.count("malformed")
            await self._part(connection, refused.answer)
        except (ProxyError, TimeoutError):
            self.count("unanswered")
        return None

    async def _connect_for(self, connection: Connection, request: server.Request) -> None:
        far = await self.reach(connection, request.host, request.port)
        name = told_by(far, "sockname")
        _tell(connection, server.success(request, name[:2] if isinstance(name, tuple) else ("0.0.0.0", 0)))
        connection.join(far)

    async def _bind_for(self, connection: Connection, request: server.Request) -> None:
        binding = Binding(lambda: self.count("foreign"))
        try:
            async with asyncio.timeout(self.limits.bind_timeout) as limit:
                address = await binding.open(self.route, "" if _is_any(request.host) else request.host)
                _tell(connection, server.success(request, address))
                self._watch(connection)
                far, peer = await binding.accept()
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectTimeout(f"{request.host} did not come in time") from None
        finally:
            binding.close()
        self.count("connected")
        keep_alive(far, self.limits.keepalive)
        held = Arrival(self, connection)
        connection.transport.set_protocol(held)
        held.connection_made(connection.transport)
        _tell(connection, server.success(request, peer))
        connection.join(far)

    def _watch(self, connection: Connection) -> None:
        """Have the task cancelled when the client goes, or ends its stream; what it sends meanwhile is dropped."""
        connection.transport.set_protocol(Leaving(self, connection))
        resume(connection.transport)

    async def _associate(self, connection: Connection, request: server.Request) -> None:
        own, peer = told_by(connection.transport, "sockname"), connection.peer
        if request.version == VERSION_4 or not isinstance(own, tuple) or not isinstance(peer, tuple):
            await self._part(connection, server.failure(request, NO_COMMAND))
            return
        host = _plain(peer[0])
        told = request.port if _is_any(request.host) or request.host == host else 0
        association = Association(
            (host, told), connection.source, self.route, self.datagrams, self._flow_admission, self._flow_counters,
            connection.pass_on,
        )
        self._associations.add(association)
        try:
            await self.entrance.beside(_plain(own[0])).bind(lambda: association)
            self.count("associated")
            _tell(connection, server.success(request, association.address))
            self._watch(connection)
            if not connection.lost:
                await asyncio.get_running_loop().create_future()  # the end of the connection cancels this
        finally:
            self._associations.discard(association)
            self._past_datagrams.update(association.counts())
            await association.close()

    async def _resolve_for(self, connection: Connection, request: server.Request) -> None:
        async with asyncio.timeout(self.limits.connect_timeout):
            address = await self.route.resolve(request.host)
        if request.version == VERSION_4 and not isinstance(ip_address(address), IPv4Address):
            raise ResolveError(f"{address}: version 4 has no IPv6 addresses")
        await self._part(connection, server.success(request, (address, 0)))

    async def _reverse_for(self, connection: Connection, request: server.Request) -> None:
        async with asyncio.timeout(self.limits.connect_timeout):
            name = await self.route.reverse(request.host)
        await self._part(connection, server.success(request, (name, 0)))


_COMMANDS: dict[int, Any] = {
    CONNECT: SocksProxy._connect_for,
    BIND: SocksProxy._bind_for,
    ASSOCIATE: SocksProxy._associate,
    RESOLVE: SocksProxy._resolve_for,
    RESOLVE_PTR: SocksProxy._reverse_for,
}
_OF_BOTH = ("accepted", "refused", "evicted", "connected", "failed", "idle", "errors")


def _tell(connection: Connection, answer: bytes) -> None:
    if not connection.transport.is_closing():
        connection.transport.write(answer)


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _plain(host: str) -> str:
    """Return an IPv4 address as such, where a socket of both families has it inside one of IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return host if mapped is None else str(mapped)
