"""Any ASGI application on an overlay address: `async with serve(app, vtun, port=80): ...`. HTTP is uvicorn's."""

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ygg.errors import MissingExtraError, YggError
from ygg.vtun import Server, VTun

try:
    # The second and third would be imported by the first server that starts, on the event loop.
    import uvicorn
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.auto
except ImportError as error:
    raise MissingExtraError("serve needs uvicorn: pip install 'ygg[http]'") from error

GRACE = 5
"""Seconds that requests in flight have to end when serving stops."""


class ServeError(YggError, RuntimeError):
    """The application refused to start."""


class _OverlayServer(uvicorn.Server):
    """uvicorn's server, listening on a VTun: it keeps the dates, the limits and the shutdown; signals are not its."""

    listener: Server

    def __init__(self, config: uvicorn.Config, vtun: VTun, host: str | None, port: int) -> None:
        super().__init__(config)
        self._vtun, self._host, self._port = vtun, host, port

    def _protocol(self) -> asyncio.Protocol:
        factory: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = factory(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    async def open(self, ssl: ssl_module.SSLContext | None) -> None:
        """Start the application and listen."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise ServeError("the ASGI application failed in its lifespan startup")
        try:
            self.listener = await self._vtun.create_server(
                self._protocol, self._host, self._port, backlog=self.config.backlog, ssl=ssl
            )
        except BaseException:
            await self.lifespan.shutdown()
            raise
        self.servers: list[Any] = [self.listener]
        self.started = True

    async def close(self) -> None:
        """Stop listening, let requests in flight end for GRACE seconds, abort the rest, stop the application."""
        await self.shutdown()
        for connection in list(self.server_state.connections):
            transport: Any = connection.transport
            transport.abort()


@asynccontextmanager
async def serve(
    app: Any,
    vtun: VTun,
    port: int = 80,
    *,
    host: str | None = None,
    ssl: ssl_module.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[Server]:
    """Serve an ASGI application while the body runs; yields the listening server (port 0: see its `sockets`).

    `host` is one address of the VTun, None for all. `options` go to `uvicorn.Config` (`root_path`, `lifespan`,
    `limit_concurrency`, ...). No signal handler and no logging is set up. Raises OSError with EADDRINUSE for a
    port that is taken, ServeError when the application's lifespan startup fails.
    """
    settings: dict[str, Any] = {"log_config": None, "timeout_graceful_shutdown": GRACE, "proxy_headers": False}
    server = _OverlayServer(uvicorn.Config(app, **(settings | options)), vtun, host, port)
    await server.open(ssl)
    ticker = asyncio.create_task(server.main_loop(), name="ygg-asgi-ticker")
    try:
        yield server.listener
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
        await server.close()
