"""Networks remapped under running nodes: links, listeners and dials follow the table at once."""

import asyncio

import pytest

from tests.aio import on_loops, settle, until
from tests.nodes import manager, node
from ygg import Certificate, Core, LoopbackNetwork, NativeNetwork, Network, TCPTransport, TransportManager
from ygg.errors import BlockedHostError
from ygg.network import DIAL_TIMEOUT
from ygg.testing import private_key


class SlowNetwork(LoopbackNetwork):
    """Never gets through, and counts who waits."""

    waiting = 0

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
        raise AssertionError


def core(number: int, network: Network | None) -> tuple[Core, TransportManager]:
    certificate = Certificate(private_key(number))
    table = TransportManager()
    if network is not None:
        table = manager(network, certificate)
    else:
        table.register(TCPTransport())
    return Core(certificate, table), table


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@on_loops
async def test_all_that_went_through_the_old_network_ends(scheme: str) -> None:
    """A listener, the link it accepted, and a link that was dialed; the other node sees its ends close."""
    async with NativeNetwork() as native, node(2, native) as two:
        one, table = core(1, native)
        async with one:
            inward = await one.listen(f"{scheme}://127.0.0.1:0")
            outward = await two.listen(f"{scheme}://127.0.0.1:0")
            await two.call_peer(f"{scheme}://{inward.address}")
            await one.call_peer(f"{scheme}://{outward.address}")
            await until(lambda: len(one.peers()) == len(two.peers()) == 2)
            table.map_network("127.0.0.0/8", LoopbackNetwork())
            assert inward.is_closing()
            await until(lambda: not one.peers() and not two.peers() and not one.listeners)
            assert two.listeners == [outward]


@on_loops
async def test_a_peer_kept_up_moves_to_the_new_network() -> None:
    async with NativeNetwork() as old, LoopbackNetwork() as new, node(2, old) as two, node(3, new) as three:
        one, table = core(1, old)
        async with one:
            listener = await two.listen("tcp://127.0.0.1:0")
            await three.listen(f"tcp://{listener.address}")
            one.add_peer(f"tcp://{listener.address}")
            await until(lambda: one.peers()[0].key == two.public_key)
            table.default_network = new
            await until(lambda: not one.peers()[0].up)
            one.retry_peers_now()
            await until(lambda: one.peers()[0].key == three.public_key)


@on_loops
async def test_a_call_that_raced_a_change_is_made_on_the_new_network() -> None:
    async with SlowNetwork() as slow, NativeNetwork() as fast, node(2, fast) as two:
        one, table = core(1, slow)
        async with one:
            listener = await two.listen("tls://127.0.0.1:0")
            call = asyncio.create_task(one.call_peer(f"tls://{listener.address}"))
            await until(lambda: slow.waiting)
            table.map_network("127.0.0.1", fast)
            assert await call == two.public_key
            assert not slow.waiting


@on_loops
async def test_a_call_that_raced_a_block_fails_with_it() -> None:
    async with SlowNetwork() as slow:
        one, table = core(1, slow)
        async with one:
            call = asyncio.create_task(one.call_peer("tcp://127.0.0.1:1"))
            await until(lambda: slow.waiting)
            table.map_network("127.0.0.1", None)
            with pytest.raises(BlockedHostError):
                await call
            assert one.peers() == []


@on_loops
async def test_a_peer_is_removed_while_it_is_dialed() -> None:
    async with SlowNetwork() as slow:
        one, _ = core(1, slow)
        async with one:
            one.add_peer("tcp://127.0.0.1:1")
            await until(lambda: slow.waiting)
            one.remove_peer("tcp://127.0.0.1:1")
            await until(lambda: not slow.waiting)
            assert one.peers() == []


@on_loops
async def test_a_call_is_taken_back_while_it_is_dialed() -> None:
    async with SlowNetwork() as slow:
        one, _ = core(1, slow)
        async with one:
            call = asyncio.create_task(one.call_peer("tcp://127.0.0.1:1"))
            await until(lambda: slow.waiting)
            one.remove_peer("tcp://127.0.0.1:1")
            with pytest.raises(ConnectionAbortedError):
                await call
            assert not slow.waiting


@on_loops
async def test_a_node_stops_while_it_dials() -> None:
    async with SlowNetwork() as slow:
        one, _ = core(1, slow)
        async with one:
            one.add_peer("tcp://127.0.0.1:1")
            call = asyncio.create_task(one.call_peer("tcp://127.0.0.1:2"))
            await until(lambda: slow.waiting == 2)
        await settle()
        with pytest.raises(ConnectionAbortedError):
            await call
        assert not slow.waiting
