"""ygg.sockets.bridge: bytes between a connection of the overlay and a pair of sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio import on_loops, settle, until
from ygg.network import HoldingProtocol, LoopbackNetwork, take_over
from ygg.sockets.bridge import Bridge


@contextlib.asynccontextmanager
async def bridged() -> AsyncIterator[tuple[socket.socket, Bridge, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield the end of the pair that a program uses, the bridge, and the streams of the connection's other side."""
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        far, _ = await listener.accept()
        listener.close()
        here, there = socket.socketpair()
        here.setblocking(False)
        there.setblocking(False)
        bridge = Bridge(there)
        take_over(near, bridge)
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        take_over(far, protocol)
        writer = asyncio.StreamWriter(far, protocol, reader, loop)
        with here:
            yield here, bridge, reader, writer
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        await until(lambda: there.fileno() < 0)


@on_loops
async def test_both_ways_and_half_closed() -> None:
    async with bridged() as (here, _, reader, writer):
        loop = asyncio.get_running_loop()
        data = bytes(range(256)) * 20_000
        sending = asyncio.create_task(loop.sock_sendall(here, data))
        assert await reader.readexactly(len(data)) == data
        await sending
        here.shutdown(socket.SHUT_WR)
        assert await reader.read() == b""
        writer.write(data)      # more than the pair takes at once
        got = bytearray()
        while len(got) < len(data):
            got += await loop.sock_recv(here, 1 << 16)
        assert got == data
        writer.write_eof()
        assert await loop.sock_recv(here, 10) == b""


@on_loops
async def test_closing_the_socket_closes_the_connection() -> None:
    async with bridged() as (here, _, reader, _):
        here.send(b"last words")
        here.close()
        assert await reader.read() == b"last words"


@on_loops
async def test_the_end_of_the_connection_comes_after_what_it_brought() -> None:
    async with bridged() as (here, _, _, writer):
        writer.write(b"last words")
        writer.close()
        loop = asyncio.get_running_loop()
        assert await loop.sock_recv(here, 100) == b"last words"
        assert await loop.sock_recv(here, 100) == b""


@on_loops
async def test_a_slow_reader_holds_the_connection_back() -> None:
    async with bridged() as (here, _, _, writer):
        transport: Any = writer.transport
        for _ in range(80):
            writer.write(bytes(100_000))
        await settle(50)
        assert transport.get_write_buffer_size() > 4_000_000
        loop, left = asyncio.get_running_loop(), 8_000_000
        while left:
            left -= len(await loop.sock_recv(here, 1 << 20))


@on_loops
async def test_a_reader_that_is_gone_ends_it() -> None:
    async with bridged() as (here, _, reader, writer):
        writer.write(bytes(8_000_000))
        await settle(20)
        here.close()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


@pytest.mark.parametrize("size", [10, 3_000_000])
@on_loops
async def test_what_is_given_back_is_all_that_was_on_its_way(size: int) -> None:
    async with bridged() as (here, bridge, reader, writer):
        data = bytes(range(250)) * (size // 250) + b"0123456789"
        here.send(b"not yet read")
        writer.write(data)
        await settle(20)
        left, ended = bridge.give_back()
        assert not ended
        got = bytearray()
        with contextlib.suppress(BlockingIOError):
            while more := here.recv(1 << 20):
                got += more
        held = HoldingProtocol()
        held.held += got + left
        transport: Any = bridge.transport
        transport.set_protocol(held)
        held.connection_made(transport)
        there = asyncio.StreamReader()
        take_over(transport, asyncio.StreamReaderProtocol(there))
        assert await there.readexactly(len(data)) == data
        assert await reader.readexactly(12) == b"not yet read"
        transport.close()
