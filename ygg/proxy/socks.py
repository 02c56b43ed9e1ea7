"""A SOCKS listener: programs that can use a proxy reach the overlay by it, by addresses and by names."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping

from ygg.errors import ConnectTimeout, ProxyError
from ygg.network.socks import exchange, server
from ygg.network.socks.wire import CONNECT, NO_COMMAND, reply_for
from ygg.proxy.endpoints import Endpoint
from ygg.proxy.limits import Limits
from ygg.proxy.routes import Route
from ygg.proxy.service import Arrival, Connection, Service
from ygg.proxy.sockets import keep_alive, told_by
from ygg.url import host_port


class SocksProxy(Service):
    """Serves SOCKS 4, 4a and 5 at `entrance`, and reaches what its clients ask for by `route`.

    With `users`, passwords by their names, clients have to log in by RFC 1929, and version 4, which has no passwords,
    is refused. CONNECT alone is served so far; the others are answered with "command not supported". Counters of its
    own: `malformed` and `unanswered` (said nothing in time, or hung up).
    """

    def __init__(
        self,
        entrance: Endpoint,
        route: Route,
        limits: Limits | None = None,
        *,
        users: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(entrance, limits)
        self.route = route
        """How hosts are reached."""
        self._users = None if users is None else {name: secret.encode() for name, secret in users.items()}

    async def _serve(self, connection: Connection) -> None:
        request = await self._negotiate(connection)
        if request is None:
            return
        connection.target = host_port(request.host, request.port)
        if request.command != CONNECT:
            await self._refuse(connection, server.failure(request, NO_COMMAND))
            return
        try:
            far = await self._reach(request)
        except OSError as error:
            self.count("failed")
            await self._refuse(connection, server.failure(request, reply_for(error)))
            return
        self.count("connected")
        keep_alive(far, self.limits.keepalive)
        if not connection.transport.is_closing():
            name = told_by(far, "sockname")
            bound = name[:2] if isinstance(name, tuple) else ("0.0.0.0", 0)
            connection.transport.write(server.success(request, bound))
        connection.join(far)

    async def _negotiate(self, connection: Connection) -> server.Request | None:
        check = None if self._users is None else self._check
        held = Arrival(self, connection)
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                return await exchange.run(
                    connection.transport, server.negotiate(check), held, hung_up="client hung up"
                )
        except server.Refused as refused:
            self.count("malformed")
            await self._refuse(connection, refused.answer)
        except (ProxyError, TimeoutError):
            self.count("unanswered")
        return None

    def _check(self, user: str, password: str) -> bool:
        known = {} if self._users is None else self._users
        return hmac.compare_digest(known.get(user, b""), password.encode()) and user in known

    async def _reach(self, request: server.Request) -> asyncio.Transport:
        try:
            async with asyncio.timeout(self.limits.connect_timeout) as limit:
                return await self.route.connect(request.host, request.port)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectTimeout(f"{request.host} was not reached in time") from None

    async def _refuse(self, connection: Connection, answer: bytes) -> None:
        await self._part(connection, answer)
