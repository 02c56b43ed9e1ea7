"""Discovery with real nodes on an in-memory network: who a beacon names is who a link is made with."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.multicast.lab import Air, interface
from ygg import Config, Core, LoopbackNetwork, TLSTransport, TransportManager
from ygg.multicast import InterfaceRule
from ygg.multicast.beacon import Beacon
from ygg.multicast.station import Station

FORGED = b"\2" * 32


class Link(LoopbackNetwork):
    """A network on which every link-local address is that of the one listener there is."""

    async def connect_stream(self, host: str, port: int, **_: Any) -> asyncio.Transport:
        assert host.startswith("fe80::")
        return await super().connect_stream("127.0.0.1", port)


@asynccontextmanager
async def node(network: LoopbackNetwork) -> AsyncIterator[Core]:
    config, manager = Config.generate(), TransportManager(network)
    manager.register(TLSTransport(config.certificate))
    async with Core(config.certificate, manager) as core:
        yield core


@on_loops
async def test_key_of_another_makes_no_link(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ygg.multicast")
    async with Link() as network, node(network) as ours, node(network) as neighbour:
        listener = await neighbour.listen("tls://127.0.0.1:0")
        port, air = int(listener.address.rpartition(":")[2]), Air()
        station = Station(ours, interface(), InterfaceRule(".*", listen=True), air.open)
        await station.turn(station.interface, (), 0.0)
        url = f"tls://[fe80::99%25eth0]:{port}"
        air.sockets[1].arrive(Beacon.make(FORGED, port).encode())
        await until(lambda: any(text.startswith(f"neighbour {url}: ") for text in caplog.messages))
        assert ours.peers() == []
        await until(lambda: neighbour.peers() == [])  # it pins nobody: for a moment it may have seen a link
        await station.turn(station.interface, (), 2.0)
        air.sockets[1].arrive(Beacon.make(neighbour.public_key, port).encode())
        await until(lambda: f"neighbour {url}: link up" in caplog.messages)
        assert [(peer.url, peer.key) for peer in ours.peers()] == [(url, neighbour.public_key)]
        assert len([text for text in caplog.messages if "link up" in text]) == 1
        await station.close()
    caplog.clear()  # the error it holds has links in its traceback
