"""asyncio's streams over a network."""

import asyncio

import pytest

from tests.aio import on_loops
from ygg import LoopbackNetwork
from ygg.network.streams import open_connection, serving


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())


@on_loops
async def test_each_connection_is_served_and_ended() -> None:
    network = LoopbackNetwork()
    async with serving(network, echo, "127.0.0.1", 7):
        ends = [await open_connection(network, "127.0.0.1", 7) for _ in range(3)]
        for number, (_, writer) in enumerate(ends):
            writer.write(b"%d" % number)
            writer.write_eof()
        assert [await reader.read() for reader, _ in ends] == [b"0", b"1", b"2"]
        for _, writer in ends:
            writer.close()
            await writer.wait_closed()


@on_loops
async def test_a_handler_is_cancelled_when_the_block_ends() -> None:
    network, began, ended = LoopbackNetwork(), asyncio.Event(), []

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with serving(network, wait, "127.0.0.1", 7):
        reader, writer = await open_connection(network, "127.0.0.1", 7)
        await began.wait()
    assert ended == [True]
    assert await reader.read() == b""
    writer.close()


@on_loops
async def test_a_handler_s_connection_error_ends_that_connection_alone() -> None:
    network = LoopbackNetwork()

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise ConnectionResetError

    async with serving(network, fail, "127.0.0.1", 7):
        for _ in range(2):
            reader, writer = await open_connection(network, "127.0.0.1", 7)
            assert await reader.read() == b""
            writer.close()


@on_loops
async def test_nothing_is_there_after_the_block() -> None:
    network = LoopbackNetwork()
    async with serving(network, echo, "127.0.0.1", 7):
        pass
    with pytest.raises(ConnectionRefusedError):
        await open_connection(network, "127.0.0.1", 7)
