"""Any ASGI application on an overlay address: `async with serve(app, vtun, port=80): ...`. HTTP is uvicorn's."""

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from ygg.errors import MissingExtraError
from ygg.vtun import Server, VTun

try:
    # The second and third would be imported by the first server that starts, on the event loop.
    import uvicorn
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.auto
    from uvicorn.importer import import_from_string
except ImportError as error:
    raise MissingExtraError("serve needs uvicorn: pip install 'ygg[http]'") from error

from ygg.integrations.access_log import AccessLog
from ygg.integrations.asgi_options import ServeError, ServeOptionError, check_options
from ygg.integrations.caller import WithKeys
from ygg.integrations.keepalive import probing

__all__ = ["GRACE", "ServeError", "ServeOptionError", "serve"]

GRACE = 5
"""Seconds that requests in flight have to end when serving stops."""
PARTING = 1.0
"""Seconds that the application's lifespan has to return after it has said that it is done."""


class _Lifespan:
    """Runs the application's side of the lifespan protocol in a task that can be ended: uvicorn's is out of reach."""

    def __init__(self, lifespan: Any) -> None:
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._main: Callable[[], Awaitable[None]] | None = getattr(lifespan, "main", None)
        if self._main is not None:  # none with lifespan="off"
            lifespan.main = self._run

    async def _run(self) -> None:
        if self._main is not None and not self._ended:
            self._task = asyncio.current_task()
            await self._main()

    async def end(self, patience: float) -> None:
        """Return when the task has ended, by itself or cancelled after `patience` seconds."""
        self._ended = True
        try:
            await asyncio.sleep(0)  # one that has not begun does not begin
            if self._task is None:
                return
            await asyncio.wait({self._task}, timeout=patience)
        finally:
            if self._task is not None:
                self._task.cancel()
        await asyncio.wait({self._task})


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
        self.lifespan = self.config.lifespan_class(self.config)
        self._living = _Lifespan(self.lifespan)
        try:
            await self.lifespan.startup()
            if self.lifespan.should_exit:
                raise ServeError("the ASGI application failed in its lifespan startup")
            await self._listen(ssl or self.config.ssl)
        except BaseException:
            await self._living.end(0)
            raise
        self.servers: list[Any] = [self.listener]
        self.started = True

    async def _listen(self, ssl: ssl_module.SSLContext | None) -> None:
        try:
            self.listener = await self._vtun.create_server(
                self._protocol, self._host, self._port, backlog=self.config.backlog, ssl=ssl, **probing(self._vtun)
            )
        except BaseException:
            await self.lifespan.shutdown()
            raise

    async def close(self) -> None:
        """Stop listening, let requests in flight end for GRACE seconds, abort the rest, stop the application."""
        patience = 0.0
        try:
            await self.shutdown()
            patience = PARTING
        finally:
            for connection in list(self.server_state.connections):
                transport: Any = connection.transport
                transport.abort()
            await self._end_tasks(patience)

    async def _end_tasks(self, patience: float) -> None:
        try:
            if requests := set(self.server_state.tasks):
                for task in requests:
                    task.cancel()
                await asyncio.wait(requests, timeout=PARTING)
        finally:
            await self._living.end(patience)


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

    In the scope of a request, `extensions["ygg"]["public_key"]` is the 32-byte key of the node that it came from.

    `app` is an application, or `module:name` of one. `host` is one address of the VTun, None for all. `options` go to
    `uvicorn.Config` (`root_path`, `lifespan`, `limit_concurrency`, `ssl_certfile`, ...); those that mean nothing here
    raise ServeOptionError. No signal handler and no logging is set up. Raises OSError with EADDRINUSE for a port that
    is taken, ServeError for an application that cannot be had or whose lifespan startup fails.

    When uvicorn ends by itself, as with `limit_max_requests`, the body is cancelled and the program goes on after it.
    """
    check_options(options, ssl)
    settings: dict[str, Any] = {"log_config": None, "timeout_graceful_shutdown": GRACE, "proxy_headers": False}
    try:
        config = _load(app, settings | options)
    except ServeError:
        del vtun  # uvicorn logs what a factory raises; its frames lead to this one, and no log shall keep a VTun
        raise
    config.loaded_app = WithKeys(config.loaded_app, vtun)
    server = _OverlayServer(config, vtun, host, port)
    await server.open(ssl)
    over = asyncio.timeout(None)
    ticker: asyncio.Task[None] | None = None
    try:
        async with over:
            ticker = asyncio.create_task(server.main_loop(), name="ygg-asgi-ticker")
            ticker.add_done_callback(lambda _: _expire(over))
            yield server.listener
    except TimeoutError:
        if not over.expired():
            raise
    finally:
        if ticker is not None:
            ticker.cancel()
            await asyncio.wait({ticker})
        await server.close()
    if ticker is not None and not ticker.cancelled():
        ticker.result()  # what a callback of the application's raised


def _expire(over: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # the body has ended
        over.reschedule(0)


def _load(app: Any, settings: dict[str, Any]) -> uvicorn.Config:
    """Return what uvicorn makes of an application and its settings, imported and checked; all fails as ServeError."""
    try:
        app = import_from_string(app)
        if not callable(app):
            raise ServeError(f"the ASGI application is not callable: {app!r:.200}")
        config = uvicorn.Config(app, **settings)
        config.load()
        config.loaded_app = AccessLog(config.loaded_app)  # outside of what believes in headers
    except ServeError:
        raise
    except (Exception, SystemExit) as error:
        # Of a factory that takes arguments uvicorn makes an exit.
        known = error.__context__ if isinstance(error, SystemExit) else error
        raise ServeError(f"the ASGI application cannot be loaded: {known or error}") from error
    return config
