"""A network that refuses everything."""

import asyncio

from ygg.errors import NetworkUnreachable
from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network


class RejectNetwork(Network):
    """Names resolve nowhere, dials and binds fail with `NetworkUnreachable`: for hosts that must stay unreachable."""

    async def resolve(self, host: str) -> list[str]:
        raise NetworkUnreachable

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        raise NetworkUnreachable

    async def listen_stream(
        self, host: str, port: int, *, source_interface: str | None = None, backlog: int = BACKLOG
    ) -> Listener:
        raise NetworkUnreachable
