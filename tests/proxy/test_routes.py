"""ygg.proxy.routes: the first rule that matches says how a host is reached."""

import asyncio
from typing import Any

import pytest

from tests.aio import in_virtual_time, on_loops, until
from tests.proxy.ends import Port, backend, ports
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.errors import BlockedHostError, ConnectionRefused, OperationNotSupported, ResolveError
from ygg.names import Names
from ygg.network import NativeNetwork, SocksNetwork
from ygg.proxy import NetworkRoute, OverlayRoute, Route, Routes
from ygg.stream.held import HoldingProtocol


class Told(Route):
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


@on_loops
async def test_datagrams_addresses_and_names_by_rules() -> None:
    async with joined() as pair, NativeNetwork() as network, ports("::", network=pair.b) as (far,):
        overlay = OverlayRoute(pair.a, Names({"other": ADDRESS_B}))
        routes = Routes([("10.0.0.0/8", None), ("other", overlay), ("200::/7", overlay), ("*", NetworkRoute(network))])
        near = Port()
        transport = await routes.connect_datagram("other", far.number, lambda: near)
        transport.sendto(b"word")
        await until(lambda: near.data == [b"WORD"])
        transport.close()
        assert await routes.resolve("other") == ADDRESS_B
        assert await routes.resolve("127.0.0.1") == "127.0.0.1"
        assert await routes.reverse(ADDRESS_B) == "other"
        with pytest.raises(BlockedHostError):
            await routes.resolve("10.0.0.1")
        with pytest.raises(OperationNotSupported):
            await routes.reverse("127.0.0.1")
        with pytest.raises(ResolveError):
            await NetworkRoute(SocksNetwork("socks5://127.0.0.1:1", network)).resolve("a.name")


@on_loops
async def test_listening_for_a_host_or_for_any() -> None:
    async with joined() as pair, NativeNetwork() as network:
        overlay = OverlayRoute(pair.a, Names({"other": ADDRESS_B}))
        routes = Routes([("other", overlay), ("*.x", None), ("*", NetworkRoute(network))])
        for host, expected in (("other", ADDRESS_B), ("", "")):
            bound = await routes.listen(host, HoldingProtocol)
            assert (bound.address[0], bound.expected) == (ADDRESS_A, expected)
            bound.listening.close()
        with pytest.raises(OperationNotSupported):
            await routes.listen("127.0.0.1", HoldingProtocol)
        with pytest.raises(OperationNotSupported):
            await Routes([]).listen("", HoldingProtocol)


@in_virtual_time
async def test_what_a_route_of_ones_own_does_not_say() -> None:
    route = Route()
    for attempt in (route.connect("a", 1), route.connect_datagram("a", 1, asyncio.DatagramProtocol),
                    route.resolve("a"), route.reverse("200::1"), route.listen("", HoldingProtocol)):
        with pytest.raises(OperationNotSupported):
            await attempt
