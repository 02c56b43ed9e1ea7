"""ygg.proxy.binding: one connection, of the host that is waited for."""

import asyncio

import pytest

from tests.aio import on_loops, settle, until
from tests.proxy.ends import backend, client
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.proxy import OverlayRoute
from ygg.proxy.binding import Binding
from ygg.stream.held import HoldingProtocol


@on_loops
async def test_the_first_that_is_expected_is_taken_and_the_next_is_reset() -> None:
    foreign: list[None] = []
    async with joined() as pair:
        binding = Binding(lambda: foreign.append(None))
        host, port = await binding.open(OverlayRoute(pair.a), ADDRESS_B)
        assert host == ADDRESS_A
        with pytest.raises(ConnectionResetError):
            await (await client(port, pair.a, ADDRESS_A)).lost()
        far = await client(port, pair.b, ADDRESS_A)
        transport, peer = await binding.accept()
        with pytest.raises(ConnectionResetError):
            await (await client(port, pair.b, ADDRESS_A)).lost()
        assert (peer, len(foreign)) == ((ADDRESS_B, far.transport.get_extra_info("sockname")[1]), 1)
        binding.close()
        transport.abort()
        await until(lambda: far.eof or far.over.done())
        far.transport.abort()


@on_loops
async def test_closing_ends_the_wait() -> None:
    async with joined() as pair:
        binding = Binding(print)
        await binding.open(OverlayRoute(pair.a), "")
        binding.close()
        with pytest.raises(asyncio.CancelledError):
            await binding.accept()
    Binding(print).close()


@on_loops
async def test_what_comes_in_the_turn_in_which_the_wait_ends_is_reset() -> None:
    async with joined() as pair:
        binding = Binding(print)
        await binding.open(OverlayRoute(pair.a), "")
        waiting = asyncio.create_task(binding.accept())
        await settle()
        async with backend(pair.b, ADDRESS_B) as (port, served):
            coming, _ = await pair.a.create_connection(HoldingProtocol, ADDRESS_B, port)
            binding.came(coming)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            binding.close()
            await until(lambda: served)
            with pytest.raises(ConnectionResetError):
                await served[0].lost()
