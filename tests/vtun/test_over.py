"""A VTun over a real node, and what becomes of it when either ends."""

import asyncio
import errno
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.aio import on_loops, settle, until
from tests.expecting import raises_errno
from tests.nodes import node
from ygg import Core, Gateway, LoopbackNetwork, TunAdapter
from ygg.errors import NetworkDown
from ygg.vtun import VTun
from ygg_c.testing.layers import CountingLayer


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[Core, Core]]:
    async with LoopbackNetwork() as network, node(1, network) as server, node(2, network) as client:
        listener = await server.listen("tcp://127.0.0.1:0")
        await client.call_peer(f"tcp://{listener.address}")
        yield server, client


async def _echo(reader, writer):
    with suppress(ConnectionAbortedError):
        while data := await reader.read(1 << 20):
            writer.write(data)
            await writer.drain()
    writer.close()


@on_loops
async def test_streams_through_two_nodes():
    payload = random.Random(1).randbytes(3_000_000)
    async with two_nodes() as (server, client), VTun.over(server) as there, VTun.over(client, mtu=1500) as here:
        assert there.addresses == [server.address]
        assert (there.mtu, here.mtu) == (65535, 1500)
        async with await there.start_server(_echo, port=7):
            reader, writer = await here.open_connection(server.address, 7)
            writer.write(payload)
            writer.write_eof()
            assert hashlib.sha256(await reader.read()).digest() == hashlib.sha256(payload).digest()
            writer.close()


@on_loops
async def test_layers_come_and_go_below_a_vtun():
    """A layer sees what passes while it is there; it belongs to the node, and not to a VTun that is detached."""
    layer, lowest = CountingLayer(), CountingLayer()
    async with two_nodes() as (server, client), VTun.over(server) as there, VTun([client.address]) as here:
        with pytest.raises(ValueError, match="no node"):
            here.insert(layer)
        gateway = Gateway(client)
        adapter = TunAdapter(gateway)
        adapter.attach(here)
        async with await there.start_server(_echo, port=7):
            here.insert(layer)
            gateway.insert(lowest, 0)
            assert here.layers == gateway.layers == (lowest, layer)
            reader, writer = await here.open_connection(server.address, 7)
            writer.write(b"first")
            assert await reader.readexactly(5) == b"first"
            here.remove(layer)
            counted = layer.packets_in, layer.packets_out
            assert min(counted) > 0
            writer.write(b"again")
            assert await reader.readexactly(5) == b"again"
            assert (layer.packets_in, layer.packets_out) == counted < (lowest.packets_in, lowest.packets_out)
            writer.close()
        adapter.detach()
        assert (here.layers, gateway.layers) == ((), (lowest,))
        with pytest.raises(ValueError, match="no node"):
            here.remove(lowest)
        gateway.remove(lowest)
        gateway.close()


@on_loops
async def test_closing_leaves_the_node_to_another_vtun():
    async with LoopbackNetwork() as network, node(1, network) as core:
        async with VTun.over(core):
            with pytest.raises(ValueError, match="gateway"):
                VTun.over(core)
        async with VTun.over(core) as again:
            assert again.addresses == [core.address]


@on_loops
async def test_a_connection_outlives_a_pause_of_its_vtun():
    async with two_nodes() as (server, client), VTun.over(server) as there:
        gateway = Gateway(client)
        adapter = TunAdapter(gateway)
        async with VTun([client.address], mtu=1500) as here:
            adapter.attach(here)
            await here.ping(server.address, timeout=30)
            here.stack.min_rto = 10_000_000
            async with await there.start_server(_echo, port=7):
                reader, writer = await here.open_connection(server.address, 7)
                assert adapter.detach() is here
                writer.write(b"held back")
                adapter.attach(here)
                assert await reader.readexactly(9) == b"held back"
                writer.close()
        gateway.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Notes the end."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_exception(exc) if exc else self.lost.set_result(None)


@pytest.mark.parametrize("parts", [VTun.over, None])
@on_loops
async def test_when_its_node_stops_all_ends_with_enetdown(parts):
    async with two_nodes() as (server, client), VTun.over(server) as there:
        if parts is None:
            here = VTun([client.address])
            TunAdapter(Gateway(client)).attach(here)
        else:
            here = VTun.over(client)
        await there.start_server(_echo, port=7)
        async with here:
            serving, idle = [
                await here.create_server(asyncio.Protocol, port=port, start_serving=port == 1) for port in (1, 2)
            ]
            reader, writer = await here.open_connection(server.address, 7)
            _, datagrams = await here.create_datagram_endpoint(_Datagrams)
            async with await here.open_datagram() as udp:
                waiting = [
                    asyncio.ensure_future(one)
                    for one in (
                        reader.read(),
                        udp.recvfrom(),
                        datagrams.lost,
                        here.open_connection("200:1234::1", 7),
                        here.ping("200:1234::1", timeout=None),
                    )
                ]
                await settle()
                await client.stop()
                for one in waiting:
                    with raises_errno(errno.ENETDOWN) as caught:
                        await one
                    assert isinstance(caught.value, NetworkDown)
                for call in (udp.recvfrom(), udp.sendto(b"x", (server.address, 7)), writer.drain()):
                    with raises_errno(errno.ENETDOWN):
                        await call
            for refused in (
                here.open_connection(server.address, 7),
                here.start_server(_echo, port=7),
                here.open_datagram(),
                here.ping(server.address),
            ):
                with raises_errno(errno.ENETDOWN) as caught:
                    await refused
                assert isinstance(caught.value, NetworkDown)
            assert (serving.sockets, idle.sockets) == ((), ())
            assert here.stack.endpoints() == []
        await there.close(grace=0)


@on_loops
async def test_a_vtun_whose_node_has_stopped_can_be_attached_to_another():
    async with LoopbackNetwork() as network:
        async with node(1, network) as core:
            vtun = VTun([core.address])
            adapter = TunAdapter(Gateway(core))
            adapter.attach(vtun)
        async with vtun, node(1, network) as core:
            with raises_errno(errno.ENETDOWN):
                await vtun.open_datagram()
            assert adapter.detach() is vtun
            TunAdapter(Gateway(core)).attach(vtun)
            async with await vtun.open_datagram() as udp:
                await udp.sendto(b"x", (core.address, udp.getsockname()[1]))
                assert (await udp.recvfrom())[0] == b"x"


@on_loops
async def test_a_node_that_stops_first_does_not_hold_up_its_vtun():
    async with LoopbackNetwork() as network:
        async with node(1, network) as core:
            vtun = VTun.over(core)
            server = await vtun.start_server(_echo, port=7)
            reader, writer = await vtun.open_connection(core.address, 7)
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            server.close()
        await vtun.close(grace=0.05)
        with pytest.raises(ConnectionAbortedError):
            await reader.read()
        await until(lambda: vtun.stack.endpoints() == [])
        writer.close()
