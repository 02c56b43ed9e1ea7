"""Any ASGI or WSGI application on an overlay address, served by hypercorn: HTTP/1.1, HTTP/2 with and without TLS.

`async with serve(app, vtun, port=80): ...`. Lifespan, WebSockets, limits and the graceful shutdown are hypercorn's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl as ssl_module
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from ygg.errors import MissingExtraError
from ygg.integrations.access_log import AccessLog
from ygg.integrations.caller import WithKeys
from ygg.integrations.lifetime import while_running
from ygg.integrations.routed import listening_socket, routed
from ygg.integrations.routed.sockets import Listening, standing
from ygg.vtun import Server, VTun
from ygg.vtun.addresses import Host

try:
    import hypercorn.asyncio
    from hypercorn.config import Config, Sockets
    from hypercorn.utils import is_asgi
except ImportError as error:
    raise MissingExtraError("serve needs hypercorn: pip install 'ygg[hypercorn]'") from error


class OverlayConfig(Config):
    """A configuration of hypercorn's that listens on a VTun: for its `serve()` inside `routed()`.

    For `hypercorn.asyncio.serve()` it is that of `ygg.integrations.routed`, for `hypercorn.trio.serve()` that of
    `ygg.integrations.trio`.

    The address and the port are not hypercorn's to bind, so `bind`, `insecure_bind` and `quic_bind` do nothing.
    """

    def __init__(self, vtun: VTun, host: Host | None = None, port: int = 80) -> None:
        super().__init__()
        self.errorlog = logging.getLogger("hypercorn.error")
        """Where hypercorn tells what happens, whatever handlers there are."""
        self.overlay_address = (vtun, host, port)
        """Where it listens."""
        self.overlay_ssl: ssl_module.SSLContext | None = None
        """A context in the place of one made of `certfile` and `keyfile`."""

    @property
    def ssl_enabled(self) -> bool:
        """Whether it speaks TLS."""
        return self.overlay_ssl is not None or super().ssl_enabled

    def create_ssl_context(self) -> ssl_module.SSLContext | None:
        """Return the context, with the protocols that hypercorn speaks over it."""
        if self.overlay_ssl is None:
            return super().create_ssl_context()
        self.overlay_ssl.set_alpn_protocols(self.alpn_protocols)
        return self.overlay_ssl

    @cached_property
    def overlay_sockets(self) -> list[socket.socket]:
        """What it listens with, in the event loop or in the run of trio that first asks for it."""
        vtun, host, port = self.overlay_address
        if "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_task():
            from ygg.integrations.trio import listening

            return [listening(vtun, port, host=host, backlog=self.backlog)]
        return [listening_socket(vtun, host, port)]

    def create_sockets(self) -> Sockets:
        """Return what hypercorn listens with."""
        secure = self.ssl_enabled
        return Sockets(self.overlay_sockets if secure else [], [] if secure else self.overlay_sockets, [])


@asynccontextmanager
async def serve(
    app: Any,
    vtun: VTun,
    port: int = 80,
    *,
    host: Host | None = None,
    ssl: ssl_module.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[Server]:
    """Serve an application while the body runs; yields the listening server (port 0: see its `sockets`).

    In the scope of a request, `extensions["ygg"]["public_key"]` is the 32-byte key of the node that it came from.

    `host` is one address of the VTun, None for all. `options` are attributes of `hypercorn.Config` (`certfile`,
    `graceful_timeout`, `max_requests`, `alpn_protocols`, ...), and those of `hypercorn.asyncio.serve` (`mode`). Raises
    AttributeError for others, OSError with EADDRINUSE for a port that is taken, and what hypercorn does when the
    application fails in its lifespan startup. No signal handler and no logging is set up.

    When hypercorn ends by itself, as with `max_requests`, the body is cancelled and the program goes on after it.
    """
    mode = options.pop("mode", None)
    # Asked for before the application starts: hypercorn leaves its lifespan behind when it cannot listen afterwards.
    async with await vtun.create_server(asyncio.Protocol, host, port, start_serving=False) as held:
        port = held.sockets[0].getsockname()[1]
    config = OverlayConfig(vtun, host, port)
    config.overlay_ssl = ssl
    stop = asyncio.Event()
    (sock,) = config.overlay_sockets
    with sock, routed(vtun, tasks="own"):
        _configure(config, options)
        running = hypercorn.asyncio.serve(_wrapped(app, mode, vtun), config, shutdown_trigger=stop.wait, mode=mode)
        serving = asyncio.create_task(running, name="ygg-hypercorn")
        try:
            server = await _listening(sock, serving)
        except BaseException:
            await _end(serving, stop)
            raise
    try:
        async with while_running(serving):
            yield server
    finally:
        await _end(serving, stop)
    serving.result()


def _wrapped(app: Any, mode: str | None, vtun: VTun) -> Any:
    """Return the application with callers' keys and an access log, if it is one of ASGI."""
    return WithKeys(AccessLog(app), vtun) if (is_asgi(app) if mode is None else mode == "asgi") else app


def _configure(config: OverlayConfig, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if not hasattr(config, name):
            raise AttributeError(f"hypercorn.Config has no attribute {name!r}")
        setattr(config, name, value)


async def _listening(sock: socket.socket, serving: asyncio.Task[None]) -> Server:
    """Return the server once hypercorn listens; what has it end before is raised."""
    listening = standing(sock)
    assert isinstance(listening, Listening)
    opened: asyncio.Future[Server] = asyncio.get_running_loop().create_future()
    listening.on_opened = opened.set_result
    waited: set[asyncio.Future[Any]] = {serving, opened}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not opened.done():
        serving.result()
        raise RuntimeError("hypercorn has ended before it listened")
    return opened.result()


async def _end(serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Have hypercorn end gracefully; at once when this is cancelled too."""
    stop.set()
    try:
        await asyncio.wait({serving})
    except asyncio.CancelledError:
        serving.cancel()
        await asyncio.wait({serving})
        raise
