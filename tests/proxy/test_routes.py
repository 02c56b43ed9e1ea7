"""ygg.proxy.routes: the first rule that matches says how a host is reached."""

import asyncio
from typing import Any

import pytest

from tests.aio import in_virtual_time, on_loops, until
from tests.proxy.ends import backend
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import BlockedHostError, ConnectionRefused, ResolveError
from ygg.network import NativeNetwork
from ygg.proxy import Names, NetworkRoute, OverlayRoute, Routes


class Told:
    """A route that keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def connect(self, host: str, port: int) -> asyncio.Transport:
        self.asked.append((host, port))
        raise ConnectionRefused


@in_virtual_time
async def test_the_first_rule_that_matches() -> None:
    onion, mesh, rest = Told(), Told(), Told()
    routes = Routes([("*.onion", onion), ("200::/7", mesh), ("*.local", None), ("10.0.0.0/8", None), ("*", rest)])
    for host in ("a.onion", "A.ONION.", "200::1", "[300::1]", "example.org", "203.0.113.1"):
        with pytest.raises(ConnectionRefused):
            await routes.connect(host, 80)
    assert [host for host, _ in onion.asked] == ["a.onion", "A.ONION."]
    assert [host for host, _ in mesh.asked] == ["200::1", "[300::1]"]
    assert [host for host, _ in rest.asked] == ["example.org", "203.0.113.1"]
    for host in ("printer.local", "10.1.2.3"):
        with pytest.raises(BlockedHostError):
            await routes.connect(host, 80)
    with pytest.raises(BlockedHostError):
        await Routes([]).connect("a", 1)


@on_loops
async def test_of_the_overlay() -> None:
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        route = OverlayRoute(pair.a, Names({"other": ADDRESS_B}))
        for host in (ADDRESS_B, "other"):
            transport: Any = await route.connect(host, port)
            await until(lambda: served and served[-1].transport)
            transport.abort()
        with pytest.raises(ResolveError):
            await route.connect("unknown", port)


@on_loops
async def test_of_a_network() -> None:
    async with NativeNetwork() as network, backend() as (port, served):
        transport = await NetworkRoute(network).connect("127.0.0.1", port)
        await until(lambda: served)
        transport.abort()
        with pytest.raises(ConnectionRefused):
            await NetworkRoute(network).connect("127.0.0.1", 1)
