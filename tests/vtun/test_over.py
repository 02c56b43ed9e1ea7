"""A VTun over a real node, and what becomes of it when either ends."""

import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from aio import on_loops, until
from nodes import node
from ygg import Core, LoopbackNetwork, ReadWriteCloser, TunAdapter
from ygg.vtun import VTun


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
        gateway = ReadWriteCloser(client)
        adapter = TunAdapter(gateway)
        async with VTun([client.address], mtu=1500) as here:
            adapter.attach(here)
            await here.ping(server.address, timeout=10)
            here.stack.min_rto = 10_000_000
            async with await there.start_server(_echo, port=7):
                reader, writer = await here.open_connection(server.address, 7)
                assert adapter.detach() is here
                writer.write(b"held back")
                adapter.attach(here)
                assert await reader.readexactly(9) == b"held back"
                writer.close()
        gateway.close()


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
