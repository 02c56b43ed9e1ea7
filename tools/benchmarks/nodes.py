"""Nodes for the measurements: as a program would make them, joined by tcp:// over the loopback interface."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from ygg import Config, Core, NativeNetwork, TCPTransport, TransportManager, VTun


class Member(NamedTuple):
    """A node and its overlay network."""

    core: Core
    vtun: VTun

    @property
    def host(self) -> str:
        """The overlay address as text."""
        return str(self.core.address)


@contextlib.asynccontextmanager
async def member(mtu: int) -> AsyncIterator[Member]:
    """Run a node with a new identity."""
    config = Config.generate()
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with Core(config.certificate, manager) as core, VTun.over(core, mtu=mtu) as vtun:
            yield Member(core, vtun)


@contextlib.asynccontextmanager
async def pair(mtu: int) -> AsyncIterator[tuple[Member, Member]]:
    """Run two nodes that are peers and have exchanged a packet, so that path and session are there."""
    async with member(mtu) as one, member(mtu) as other:
        listener = await other.core.listen("tcp://127.0.0.1:0")
        await one.core.call_peer(f"tcp://{listener.address}")
        await reach(one, other.host)
        yield one, other


async def reach(one: Member, host: str) -> None:
    """Wait until an address answers."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(TimeoutError):
                await one.vtun.ping(host, timeout=1.0)
                return
