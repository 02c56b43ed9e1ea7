"""A network that refuses everything."""

import asyncio

from ygg.errors import NetworkUnreachable
from ygg.network.base import Admit, Listener, Network


class RejectNetwork(Network):
    """Names resolve nowhere, dials and binds fail with `NetworkUnreachable`: for hosts that must stay unreachable."""

    async def _resolve(self, host: str) -> list[str]:
        raise NetworkUnreachable

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:
        raise NetworkUnreachable

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        raise NetworkUnreachable
