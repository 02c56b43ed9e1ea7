"""ygg.stream.sendfile: a file over a transport that no system call reaches."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.aio import on_loops, settle
from ygg.network import LoopbackNetwork, take_over
from ygg.stream.sendfile import sendfile

DATA = bytes(range(256)) * 20_000


@contextlib.asynccontextmanager
async def joined() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Any]]:
    """Yield the streams of one end, and the other end's transport, held still."""
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        far, _ = await listener.accept()
        listener.close()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        take_over(near, protocol)
        writer = asyncio.StreamWriter(near, protocol, reader, asyncio.get_running_loop())
        yield reader, writer, far
        writer.close()
        far.close()


def read_all(far: Any) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    take_over(far, asyncio.StreamReaderProtocol(reader))
    return reader


@on_loops
async def test_whole_files_and_parts_in_order_with_what_is_written() -> None:
    async with joined() as (_, writer, far):
        reader = read_all(far)
        file, over = io.BytesIO(DATA), cast("asyncio.Transport", writer.transport)
        writer.write(b"before")
        assert await asyncio.gather(sendfile(over, file), reader.readexactly(6 + len(DATA))) == [
            len(DATA), b"before" + DATA]
        assert await sendfile(over, file, 1000, 24) == 24
        assert file.tell() == 1024
        assert await sendfile(over, file, len(DATA)) == 0
        writer.write(b"after")
        assert await reader.readexactly(29) == DATA[1000:1024] + b"after"


@on_loops
async def test_it_waits_for_a_slow_reader_and_gives_the_protocol_back() -> None:
    async with joined() as (reader, writer, far):
        transport: Any = writer.transport
        protocol = transport.get_protocol()
        sending = asyncio.create_task(sendfile(transport, io.BytesIO(DATA)))
        await settle(200)
        assert not sending.done()
        assert transport.get_write_buffer_size() < 1 << 20
        far.write(b"meanwhile")
        there = read_all(far)
        assert await there.readexactly(len(DATA)) == DATA
        assert await sending == len(DATA)
        assert transport.get_protocol() is protocol
        assert await reader.readexactly(9) == b"meanwhile"


@on_loops
async def test_a_connection_that_ends_meanwhile() -> None:
    async with joined() as (_, writer, far):
        sending = asyncio.create_task(sendfile(writer.transport, io.BytesIO(DATA)))  # type: ignore[arg-type]
        await settle(200)
        far.abort()
        with pytest.raises(ConnectionError):
            await sending
        await settle()
        with pytest.raises(RuntimeError, match="closing"):
            await sendfile(writer.transport, io.BytesIO(DATA))  # type: ignore[arg-type]


@on_loops
async def test_what_is_refused(tmp_path: Path) -> None:
    async with joined() as (_, writer, _):
        transport: Any = writer.transport
        for offset, count in [(-1, None), (0, 0)]:
            with pytest.raises(ValueError, match="offset"):
                await sendfile(transport, io.BytesIO(), offset, count)  # type: ignore[arg-type]
        text: Any = tmp_path / "file"
        text.touch()
        with text.open() as file, pytest.raises(ValueError, match="binary"):
            await sendfile(transport, file)
        with pytest.raises(TypeError):
            await sendfile(transport, io.BytesIO(), "0")  # type: ignore[arg-type]


@on_loops
async def test_nothing_else_is_written_while_a_file_is_sent() -> None:
    async with joined() as (_, writer, far):
        over = cast("asyncio.Transport", writer.transport)
        sending = asyncio.create_task(sendfile(over, io.BytesIO(DATA)))
        await settle()
        for write in (writer.write, lambda data: writer.writelines([data])):
            with pytest.raises(RuntimeError, match="sendfile is in progress"):
                write(b"in between")
        with pytest.raises(RuntimeError, match="sendfile is in progress"):
            await sendfile(over, io.BytesIO(DATA))
        reader = read_all(far)
        assert await reader.readexactly(len(DATA)) == DATA
        assert await sending == len(DATA)
        writer.write(b"after")
        assert await reader.readexactly(5) == b"after"
