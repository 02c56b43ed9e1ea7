"""ygg.network.base: dials under way when a network goes down, on a network of somebody's own."""

import asyncio

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ConnectionRefused, NetworkDown
from ygg.network import LoopbackNetwork, WrapperNetwork


class Slow(LoopbackNetwork):
    """Never answers, unless it is told to refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = asyncio.Event()
        self.ended = 0

    async def connect_stream(self, host: str, port: int, **options: object) -> asyncio.Transport:
        self._enter(port)
        try:
            await self.refused.wait()
        finally:
            self.ended += 1
        return await super().connect_stream(host, port)

    async def connect_path(self, path: str, **options: object) -> asyncio.Transport:
        return await self.connect_stream(path, 1)


@on_loops
async def test_dials_under_way_end() -> None:
    network = Slow()
    dials = [network.connect_stream("127.0.0.1", 1), network.connect_path("/x")]
    dials += [WrapperNetwork(network).connect_path("/x")]
    tasks = [asyncio.ensure_future(dial) for dial in dials]
    await settle()
    network.down()
    network.down()
    for task in tasks:
        with pytest.raises(NetworkDown):
            await task
    assert network.ended == len(tasks)


@on_loops
async def test_a_wrapper_goes_down_alone() -> None:
    base = Slow()
    wrapper = WrapperNetwork(base)
    through, beside = (asyncio.ensure_future(one.connect_stream("127.0.0.1", 1)) for one in (wrapper, base))
    await settle()
    wrapper.down()
    with pytest.raises(NetworkDown):
        await through
    assert not beside.done()
    base.refused.set()
    with pytest.raises(ConnectionRefused):
        await beside
    wrapper.up()
    with pytest.raises(ConnectionRefused):
        await wrapper.connect_stream("127.0.0.1", 1)


@on_loops
async def test_a_dial_that_its_caller_gives_up_is_cancelled_as_ever() -> None:
    network = Slow()
    dial = asyncio.ensure_future(network.connect_stream("127.0.0.1", 1))
    await settle()
    dial.cancel()
    network.down()
    with pytest.raises(asyncio.CancelledError):
        await dial


@on_loops
async def test_what_fails_as_the_network_goes_down_fails_for_that() -> None:
    network = Slow()
    dial = asyncio.ensure_future(network.connect_stream("127.0.0.1", 1))
    await settle()
    network.refused.set()
    network.down()
    network.up()
    with pytest.raises(NetworkDown):
        await dial
