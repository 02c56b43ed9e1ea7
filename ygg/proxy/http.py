"""A forward of HTTP/1.1 that tells the server who the client is, and lets no client say it itself.

HTTP/2 is not spoken on either side: its preface is refused, and `h2c` is not offered to the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ygg.proxy import headers
from ygg.proxy.endpoints import Endpoint
from ygg.proxy.http_exchange import Exchange, Rejected, Remade, Side, Where, h11, request_of
from ygg.proxy.limits import Limits
from ygg.proxy.service import Connection, Service
from ygg.stream.held import take_over


class HttpForward(Service):
    """Joins HTTP/1.1 requests that come at `entrance` with the server at `target`.

    What a client says of itself (`X-Forwarded-For`, `Forwarded` and their like, also with `_` for `-`) is taken out,
    and the server is told `X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded` (RFC 7239) and, of a node whose key is
    known, `X-Ygg-Public-Key`, 64 hex digits. Bodies of any length pass at the pace of the slower side; WebSockets pass;
    other upgrades, CONNECT and HTTP/2 do not. Counters of its own: `requests`, `malformed` (answered with an error and
    closed), `unanswered` (no whole head in time), `upgraded`, `repeated`. It needs the extra `proxy`.
    """

    def __init__(
        self,
        entrance: Endpoint,
        target: Endpoint,
        limits: Limits | None = None,
        *,
        scheme: str = "http",
        allow: Iterable[str] | None = None,
    ) -> None:
        super().__init__(entrance, limits, allow=allow)
        self.target = target
        """Where the server is."""
        self.scheme = scheme
        """What the server is told that clients speak: https where TLS ends at the entrance."""

    async def _serve(self, connection: Connection) -> None:
        peer = connection.peer
        client = headers.Client(
            peer[0] if isinstance(peer, tuple) else "127.0.0.1",
            connection.public_key,
            self.scheme,
        )
        near = Side(h11.SERVER, connection.transport, lambda: self.left(connection))
        take_over(connection.transport, near)
        exchange = Exchange(self, connection, near, client)
        try:
            await exchange.run()
        finally:
            exchange.end()

    def remade(self, request: h11.Request, client: headers.Client) -> Remade:
        """Return a request as the server gets it. Raises `ProxyError`."""
        fields = list(request.headers.raw_items())
        if request.method == b"CONNECT":
            raise Rejected(405)
        upgrade = headers.upgrade_of(fields) if request.http_version >= b"1.1" else None
        target, fields = headers.target_and_host(request.target, fields)
        told = headers.request_fields(fields, client, upgrade=upgrade)
        return Remade(request_of(request, target, told), upgrade)

    async def connect_to(self, connection: Connection, where: Where | None) -> asyncio.Transport:
        """Return a new connection to the server, held still."""
        return await self._connect(connection, self.target)

    async def part(self, connection: Connection, ended: bool) -> None:
        """Close a client's connection once it has taken what was written, and no more comes of it."""
        await self._part(connection, ended=ended)
