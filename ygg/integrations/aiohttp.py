"""aiohttp over a VTun: a connector for clients, WebSockets among them, and a site for servers. Needs aiohttp."""

from __future__ import annotations

import ssl as ssl_module
from ipaddress import IPv6Address
from typing import Any

from ygg.errors import MissingExtraError
from ygg.integrations.keepalive import probing
from ygg.integrations.routed import routed
from ygg.vtun import VTun
from ygg.vtun.addresses import Host, packed

try:
    import aiohttp
    from aiohttp import web
except ImportError as error:
    raise MissingExtraError("OverlayConnector needs aiohttp: pip install 'ygg[aiohttp]'") from error


class OverlayConnector(aiohttp.TCPConnector):
    """What an `aiohttp.ClientSession` connects with: `ClientSession(connector=OverlayConnector(vtun))`.

    The options are those of `aiohttp.TCPConnector`. Hosts are addresses of the overlay; any other is an error of
    aiohttp's, as a name that does not exist. Closing the session closes the connections, not the VTun.
    """

    def __init__(self, vtun: VTun, **options: Any) -> None:
        super().__init__(**options)
        self._vtun = vtun

    async def connect(self, *arguments: Any, **options: Any) -> aiohttp.connector.Connection:
        """Return a connection of the pool, or a new one through the VTun."""
        with routed(self._vtun, tasks="own", hosts="all"):
            return await super().connect(*arguments, **options)


class OverlaySite(web.BaseSite):
    """What `aiohttp.web.TCPSite` is, on an address of a VTun: `await OverlaySite(runner, vtun, port=80).start()`."""

    def __init__(
        self,
        runner: web.BaseRunner,
        vtun: VTun,
        host: Host | None = None,
        port: int = 80,
        *,
        ssl_context: ssl_module.SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        """Serve what `runner` runs. `host` is one address of the VTun, None for all; port 0 picks one, see `port`."""
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._vtun, self._host, self._port = vtun, host, port

    @property
    def port(self) -> int:
        """The port that is listened on, once it is."""
        return self._port

    @property
    def name(self) -> str:
        """The URL that it is reached by."""
        scheme = "https" if self._ssl_context else "http"
        host = IPv6Address(packed(self._host)) if self._host else self._vtun.addresses[0]
        return f"{scheme}://[{host}]:{self._port}"

    async def start(self) -> None:
        """Listen. OSError with EADDRINUSE for a port that is taken."""
        await super().start()
        factory: Any = self._runner.server
        server = await self._vtun.create_server(
            factory, self._host, self._port, ssl=self._ssl_context, backlog=self._backlog, **probing(self._vtun)
        )
        self._server = server
        self._port = server.sockets[0].getsockname()[1]
