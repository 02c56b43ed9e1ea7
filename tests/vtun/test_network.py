"""ygg.vtun.network: the overlay is a network, so a node can peer through another node."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.aio import on_loops, settle
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg import Certificate, Core, LoopbackNetwork, Network, TCPTransport, TransportManager, VTun
from ygg.errors import ConnectionReset, ConnectTimeout, HostUnreachable, ListenerClosed, NetworkDown, ResolveError
from ygg.testing.conformance import CHECKS, Check, Subject
from ygg.vtun import OverlayNetwork


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@on_loops
async def test_conformance(check: Check) -> None:
    async with joined() as pair, OverlayNetwork(pair.a) as network, OverlayNetwork(pair.b) as server:
        await check(Subject(network, ADDRESS_B, server, foreign="200:cccc::1"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@on_loops
async def test_conformance_of_one_that_dials_itself(check: Check) -> None:
    async with joined() as pair, OverlayNetwork(pair.b) as network:
        await check(Subject(network, ADDRESS_B, foreign="200:cccc::1"))


@on_loops
async def test_going_down_closes_listeners_and_what_they_accepted() -> None:
    async with joined() as pair, OverlayNetwork(pair.a) as network, OverlayNetwork(pair.b) as server:
        listener = await server.listen_stream("", 0)
        port = int(listener.address.rpartition(":")[2])
        near = await network.connect_stream(ADDRESS_B, port)
        far, remote = await listener.accept()
        assert remote.startswith(f"[{ADDRESS_A}]:")
        server.down()
        assert listener.is_closing()
        assert far.is_closing()
        with pytest.raises(ListenerClosed):
            await listener.accept()
        await listener.wait_closed()
        near.abort()


@on_loops
async def test_going_down_ends_a_dial_under_way() -> None:
    async with joined() as pair, OverlayNetwork(pair.a) as network:
        pair.wire.close()
        dial = asyncio.ensure_future(network.connect_stream(ADDRESS_B, 1, timeout=60))
        await settle()
        network.down()
        with pytest.raises(NetworkDown):
            await dial


@on_loops
async def test_connections_beyond_the_backlog_are_reset() -> None:
    async with joined() as pair, OverlayNetwork(pair.a) as network, OverlayNetwork(pair.b) as server:
        listener = await server.listen_stream("", 0, backlog=1)
        port = int(listener.address.rpartition(":")[2])
        dialed = await network.connect_stream(ADDRESS_B, port)
        with pytest.raises(ConnectionReset):
            await network.connect_stream(ADDRESS_B, port)
        transport, _ = await listener.accept()
        assert not transport.is_closing()
        listener.close()
        dialed.abort()
        transport.abort()


@on_loops
async def test_hosts_that_cannot_be_dialed() -> None:
    async with joined() as pair, OverlayNetwork(pair.a) as network:
        assert await network.resolve("0200:bbbb::0001") == [ADDRESS_B]
        with pytest.raises(ResolveError):
            await network.resolve("a.example")
        with pytest.raises(HostUnreachable):
            await network.resolve("2001:db8::1")
        pair.wire.close()
        with pytest.raises(ConnectTimeout):
            await network.connect_stream(ADDRESS_B, 1, timeout=0.02)


async def _node(stack: AsyncExitStack, network: Network) -> tuple[Core, VTun]:
    manager = TransportManager(network)
    manager.register(TCPTransport())
    core = await stack.enter_async_context(Core(Certificate.generate(), manager))
    return core, await stack.enter_async_context(VTun.over(core))


@on_loops
async def test_a_node_peers_through_another_node() -> None:
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(LoopbackNetwork())
        (lower, lower_vtun), (other, other_vtun) = [await _node(stack, ground) for _ in range(2)]
        listener = await lower.listen("tcp://127.0.0.1:0")
        await other.call_peer(str(listener.url))

        near = await stack.enter_async_context(OverlayNetwork(lower_vtun))
        far = await stack.enter_async_context(OverlayNetwork(other_vtun))
        (one, one_vtun), (two, _) = await _node(stack, near), await _node(stack, far)
        inner = await two.listen(f"tcp://[{other.address}]:0")
        await one.call_peer(str(inner.url))
        assert await one_vtun.ping(two.address, timeout=30) > 0
        assert [peer.key for peer in one.peers()] == [two.public_key]
