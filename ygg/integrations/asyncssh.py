"""asyncssh over a VTun: `asyncssh.connect(host, tunnel=Tunnel(vtun))`, and the same for `listen` and all that dials."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ygg.integrations.keepalive import probing
from ygg.vtun import Server, VTun


class Tunnel:
    """What asyncssh takes for `tunnel`: it dials and listens through a VTun. Needs nothing of asyncssh itself.

    asyncssh closes tunnels that it has opened itself alone: this one may serve any number of calls.
    """

    logger = logging.getLogger("ygg.integrations.asyncssh")
    """Where asyncssh tells that it connects."""

    def __init__(self, vtun: VTun) -> None:
        self._vtun = vtun

    async def create_connection(
        self, session_factory: Callable[[], Any], remote_host: str, remote_port: int, *_: Any, **__: Any
    ) -> tuple[asyncio.Transport, Any]:
        """Connect to (host, port) for asyncssh."""
        return await self._vtun.create_connection(session_factory, remote_host, remote_port)

    async def create_server(
        self, session_factory: Callable[[str, int], Any], listen_host: str | None, listen_port: int, **_: Any
    ) -> Server:
        """Listen for asyncssh, on one address of the VTun, or on all without a host."""
        return await self._vtun.create_server(
            lambda: session_factory("", 0), listen_host or None, listen_port, **probing(self._vtun)
        )

    def close(self) -> None:
        """Do nothing: the VTun is its owner's."""

    async def wait_closed(self) -> None:
        """Return at once."""
