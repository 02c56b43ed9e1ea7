"""What proxies share that reach the hosts their clients name: a route, users, and a time to reach a host in."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Mapping

from ygg.errors import ConnectTimeout
from ygg.proxy.endpoints import Endpoint
from ygg.proxy.limits import Limits
from ygg.proxy.routes import Route
from ygg.proxy.service import Connection, Service
from ygg.proxy.sockets import keep_alive
from ygg.url import host_port


class RoutedService(Service):
    """A service whose clients say where they want to go."""

    def __init__(
        self,
        entrance: Endpoint,
        route: Route,
        limits: Limits | None = None,
        *,
        users: Mapping[str, str] | None = None,
        allow: Iterable[str] | None = None,
    ) -> None:
        super().__init__(entrance, limits, allow=allow)
        self.route = route
        """How hosts are reached."""
        self._users = None if users is None else {name: secret.encode() for name, secret in users.items()}

    @property
    def wants_users(self) -> bool:
        """Whether clients have to log in."""
        return self._users is not None

    def knows(self, user: str, password: str) -> bool:
        """Tell whether a user may pass."""
        known = self._users or {}
        return hmac.compare_digest(known.get(user, b""), password.encode()) and user in known

    async def reach(self, connection: Connection, host: str, port: int) -> asyncio.Transport:
        """Return a connection, held still, to a host that a client has named. Raises an OSError."""
        connection.target = host_port(host, port)
        try:
            async with asyncio.timeout(self.limits.connect_timeout) as limit:
                far = await self.route.connect(host, port)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectTimeout(f"{host} was not reached in time") from None
        self.count("connected")
        keep_alive(far, self.limits.keepalive)
        return far
