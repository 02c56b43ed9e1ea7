"""ygg.network.loopback.network: a kernel's manners without a kernel."""

import asyncio

import pytest

from tests.aio import on_loops, settle
from ygg.errors import (
    AddressInUse,
    AddressNotAvailable,
    ConnectionRefused,
    ConnectTimeout,
    NetworkUnreachable,
    ResolveError,
)
from ygg.network import LoopbackNetwork


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@on_loops
async def test_two_networks_know_nothing_of_each_other() -> None:
    async with LoopbackNetwork() as one, LoopbackNetwork() as other:
        listener = await one.listen_stream("127.0.0.1", 0)
        with pytest.raises(ConnectionRefused):
            await other.connect_stream("127.0.0.1", port_of(listener.address))


@on_loops
async def test_hosts_of_its_own() -> None:
    async with LoopbackNetwork(addresses=["10.0.0.0/24"], hosts={"a.example": ["192.0.2.1", "192.0.2.2"]}) as network:
        listener = await network.listen_stream("192.0.2.2", 0)
        client = await network.connect_stream("a.example", port_of(listener.address))
        assert client.get_extra_info("peername") == ("192.0.2.2", port_of(listener.address))
        await network.listen_stream("10.0.0.77", 1234)
        with pytest.raises(AddressNotAvailable):
            await network.listen_stream("10.0.1.1", 0)
        with pytest.raises(NetworkUnreachable):
            await network.connect_stream("10.0.1.1", 1)
        with pytest.raises(ResolveError):
            await network.connect_stream("b.example", 1)


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("0.0.0.0", "::1", False),
        ("", "127.0.0.1", True),
        ("::", "0.0.0.0", True),
        ("127.0.0.1", "::1", False),
    ],
)
@on_loops
async def test_binds_clash_as_the_kernels_do(first: str, second: str, clash: bool) -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream(first, 0)
        if clash:
            with pytest.raises(AddressInUse):
                await network.listen_stream(second, port_of(listener.address))
        else:
            await network.listen_stream(second, port_of(listener.address))


@on_loops
async def test_the_unspecified_address_is_this_host() -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("0.0.0.0", 0)
        client = await network.connect_stream("0.0.0.0", port_of(listener.address))
        assert client.get_extra_info("peername")[0] == "127.0.0.1"
        with pytest.raises(ConnectionRefused):
            await network.connect_stream("::1", port_of(listener.address))


@on_loops
async def test_a_full_backlog_makes_dials_wait_and_time_out() -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0, backlog=1)
        port = port_of(listener.address)
        await network.connect_stream("127.0.0.1", port)
        with pytest.raises(ConnectTimeout):
            await network.connect_stream("127.0.0.1", port, timeout=0.001)
        waiting = asyncio.ensure_future(network.connect_stream("127.0.0.1", port))
        await settle()
        assert not waiting.done()
        await listener.accept()
        await waiting


@on_loops
async def test_closing_a_listener_resets_who_was_not_accepted_and_refuses_who_waits() -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0, backlog=1)
        port = port_of(listener.address)
        client = await network.connect_stream("127.0.0.1", port)
        waiting = asyncio.ensure_future(network.connect_stream("127.0.0.1", port))
        await settle()
        listener.close()
        with pytest.raises(ConnectionRefused):
            await waiting
        await settle()
        assert client.is_closing()


@on_loops
async def test_source_ports_are_freed() -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        for _ in range(3):
            client = await network.connect_stream("127.0.0.1", port_of(listener.address))
            client.abort()
        await settle()
        assert len(network.sources) == 0
