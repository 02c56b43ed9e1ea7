"""websockets over a VTun, both ends: `connect(vtun, uri)` and `serve(vtun, handler, port=80)`. Needs the extra `ws`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from ygg.errors import MissingExtraError
from ygg.integrations.routed import routed
from ygg.vtun import VTun
from ygg.vtun.addresses import Host

try:
    from websockets.asyncio import client, server
except ImportError as error:
    raise MissingExtraError("WebSockets need websockets: pip install 'ygg[ws]'") from error


class connect(client.connect):
    """What `websockets.connect` is, through a VTun: to be awaited, entered with `async with`, or iterated over.

    The options are those of `websockets.connect`, but that proxies of the environment are not used. The host of `uri`
    is an address of the overlay.
    """

    def __init__(self, vtun: VTun, uri: str, **options: Any) -> None:
        options.setdefault("proxy", None)
        super().__init__(uri, **options)
        self._vtun = vtun

    def __await__(self) -> Generator[Any, None, client.ClientConnection]:
        with routed(self._vtun, tasks="own", hosts="all"):
            return (yield from super().__await__())


def serve(
    vtun: VTun,
    handler: Callable[[server.ServerConnection], Awaitable[None]],
    host: Host | None = None,
    port: int = 80,
    **options: Any,
) -> server.Server:
    """Serve WebSockets as `websockets.serve` does, with its options, on one address of `vtun` or on all."""
    with routed(vtun, tasks="own", hosts="all"):
        serving: Any = server.serve(handler, None if host is None else str(host), port, **options)
    listen = serving.create_server

    async def listen_there() -> asyncio.Server:
        with routed(vtun, tasks="own", hosts="all"):
            listening: asyncio.Server = await (listen() if callable(listen) else listen)
            return listening

    # Up to release 16 it is a coroutine, from 17 on a function that returns one.
    serving.create_server = listen_there if callable(listen) else listen_there()
    made: server.Server = serving
    return made
