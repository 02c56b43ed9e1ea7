"""The second connection of a SOCKS client: one port that waits for one host (RFC 1928, section 6, BIND)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ygg.proxy.routes import Bound, Route
from ygg.proxy.sockets import reset, told_by
from ygg.stream.held import HoldingProtocol


class Binding:
    """Waits for a connection. `foreign` is called for each that is of another host, which is reset."""

    def __init__(self, foreign: Callable[[], object]) -> None:
        self._foreign = foreign
        self._bound: Bound | None = None
        self._taken = False
        self._come: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    async def open(self, route: Route, host: str) -> tuple[str, int]:
        """Listen for `host`, or for any where it is ""; return where. Raises an OSError."""
        self._bound = await route.listen(host, lambda: _Coming(self))
        return self._bound.address

    async def accept(self) -> tuple[asyncio.Transport, tuple[str, int]]:
        """Return the connection, held still, and where it comes from."""
        transport = await self._come
        self._taken = True
        return transport, told_by(transport, "peername")[:2]

    def close(self) -> None:
        """Listen no more; what has come and is not taken is reset."""
        if self._bound is not None:
            self._bound.listening.close()
        if not self._come.cancel() and not self._taken and not self._come.cancelled():
            reset(self._come.result())  # it came in the turn in which its waiter was cancelled

    def came(self, transport: asyncio.Transport) -> None:
        """Take a connection, if it is the one, or reset it."""
        peer = told_by(transport, "peername")
        expected = "" if self._bound is None else self._bound.expected
        if self._bound is None or not peer or (expected and peer[0] != expected):
            self._foreign()
            reset(transport)
        elif self._come.done():
            reset(transport)
        else:
            self._come.set_result(transport)


class _Coming(HoldingProtocol):
    """Holds a connection still and tells of it."""

    def __init__(self, binding: Binding) -> None:
        super().__init__()
        self._binding = binding

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._binding.came(cast(asyncio.Transport, transport))
