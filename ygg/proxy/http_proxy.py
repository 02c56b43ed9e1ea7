"""A proxy of HTTP: clients name the server, by CONNECT or by whole URLs; and a listener for that and SOCKS alike.

Requests with whole URLs are parsed and written anew, as by a forward of HTTP; the server is told nothing of the client.
After CONNECT the two connections are a pair, which needs no task. A listener for both kinds looks at the first byte:
SOCKS begins with its version, 4 or 5, HTTP with a letter.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Generator

from ygg.errors import ProxyError
from ygg.network.socks import exchange
from ygg.network.socks.wire import VERSION, VERSION_4
from ygg.proxy import headers
from ygg.proxy.http_exchange import Exchange, Rejected, Remade, Side, Where, h11, request_of
from ygg.proxy.routed import RoutedService
from ygg.proxy.service import Arrival, Connection
from ygg.proxy.socks import SocksProxy
from ygg.stream.held import take_over

CHALLENGE = (b"Proxy-Authenticate", b'Basic realm="ygg"')
"""What a client that has to log in is told (RFC 7617)."""


class HttpProxy(RoutedService):
    """Serves CONNECT and requests with whole `http://` URLs at `entrance`, and reaches the servers by `route`.

    With `users`, passwords by their names, clients have to log in (RFC 7617); with `allow`, a list of keys, addresses
    and subnets, all other clients are reset. Counters of its own: `requests`, `tunnels`, `malformed` (answered with an
    error, 407 too), `unanswered`, `upgraded`, `repeated`. It needs the extra `proxy`.
    """

    async def _serve(self, connection: Connection) -> None:
        near = Side(h11.SERVER, connection.transport, lambda: self.left(connection))
        take_over(connection.transport, near)
        served = Exchange(self, connection, near, headers.Client("", None))
        try:
            await served.run()
        finally:
            served.end()

    def remade(self, request: h11.Request, client: headers.Client) -> Remade:
        """Return a request as its server gets it. Raises `ProxyError`."""
        fields = list(request.headers.raw_items())
        if self.wants_users and not self._logged_in(fields):
            raise Rejected(407, CHALLENGE)
        size = headers.framing(fields)
        if request.method == b"CONNECT":
            if size is not None:
                raise ProxyError("CONNECT with a body")
            return Remade(None, None, headers.authority(request.target))
        host, port, target, fields = headers.proxied(request.target, fields)
        upgrade = headers.upgrade_of(fields) if request.http_version >= b"1.1" else None
        told = headers.passing(fields)
        if upgrade is not None:
            told += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
        if size == b"chunked":
            told.append((b"Transfer-Encoding", size))
        return Remade(request_of(request, target, told), upgrade, (host, port))

    def _logged_in(self, fields: headers.Fields) -> bool:
        told = [value for name, value in fields if name.lower() == b"proxy-authorization"]
        if len(told) != 1 or not hmac.compare_digest(told[0][:6].lower(), b"basic "):
            return False
        try:
            user, _, password = base64.b64decode(told[0][6:].strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return False
        return self.knows(user, password)

    async def connect_to(self, connection: Connection, where: Where | None) -> asyncio.Transport:
        """Return a new connection to a server, held still. Raises an OSError."""
        assert where is not None
        return await self.reach(connection, *where)

    async def part(self, connection: Connection, ended: bool) -> None:
        """Close a client's connection once it has taken what was written, and no more comes of it."""
        await self._part(connection, ended=ended)


class MixedProxy(SocksProxy, HttpProxy):
    """Serves SOCKS and HTTP at one entrance, each as `SocksProxy` and `HttpProxy` do, by the same route and users."""

    async def _serve(self, connection: Connection) -> None:
        first = await self._first(connection)
        if first is None:
            return
        kind = SocksProxy if first in (VERSION, VERSION_4) else HttpProxy
        await kind._serve(self, connection)

    async def _first(self, connection: Connection) -> int | None:
        """Return the first byte that the client sends, and leave it there."""
        held = Arrival(self, connection)
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                first = await exchange.run(connection.transport, _one(), held, hung_up="client hung up")
        except (ProxyError, TimeoutError):
            self.count("unanswered")
            return None
        held.held[:0] = first
        return int(first[0])


def _one() -> Generator[tuple[bytes, int], bytes, bytes]:
    return (yield b"", 1)
