"""ygg.network.base: dials under way when a network goes down, on a network of somebody's own."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ConnectionRefused, NetworkDown, OperationNotSupported, URLError
from ygg.network import Listener, LoopbackNetwork, Network, WrapperNetwork
from ygg.network.base import Admit


class Slow(LoopbackNetwork):
    """Never answers, unless it is told to refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = asyncio.Event()
        self.ended = 0

    async def _connect_stream(self, host: str, port: int, *options: Any) -> asyncio.Transport:
        try:
            await self.refused.wait()
        finally:
            self.ended += 1
        return await super()._connect_stream(host, port, *options)

    async def _connect_path(self, path: str, timeout: float) -> asyncio.Transport:
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


class Own(Network):
    """A network of one's own that says no more than how."""

    def __init__(self) -> None:
        super().__init__()
        self.base = LoopbackNetwork()
        self.asked: list[str] = []

    async def _resolve(self, host: str) -> list[str]:
        self.asked.append("resolve")
        return await self.base.resolve(host)

    async def _connect_stream(self, host: str, port: int, source_interface: str | None, timeout: float) -> Any:
        self.asked.append("connect")
        return await self.base.connect_stream(host, port, timeout=timeout)

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        self.asked.append("listen")
        return await self.base.listen_stream(host, port, backlog=backlog)


@on_loops
async def test_a_network_of_ones_own_is_looked_after() -> None:
    network = Own()
    for call in (network.connect_stream, network.listen_stream):
        with pytest.raises(URLError):
            await call("127.0.0.1", 65536)
    with pytest.raises(OperationNotSupported):
        await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    assert network.asked == []
    listener = await network.listen_stream("127.0.0.1", 0)
    dialed = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    network.down()
    assert listener.is_closing()
    assert dialed.is_closing()
    with pytest.raises(NetworkDown):
        await network.connect_stream("127.0.0.1", 1)
    assert network.asked == ["listen", "connect"]
    await network.close()
    await network.base.close()
