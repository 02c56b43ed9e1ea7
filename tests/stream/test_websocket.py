"""ygg.stream.websocket: a byte stream out of the binary messages of a WebSocket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.aio import on_loops, settle, until
from tests.transport.test_ws import UPGRADE, listening
from ygg.network import HoldingProtocol, LoopbackNetwork, Network
from ygg.network.streams import open_connection, streams
from ygg.stream import layered
from ygg.transport.manager import ManagedListener


@on_loops
async def test_a_reader_that_does_not_read_holds_the_writer_back() -> None:
    async with LoopbackNetwork() as network, listening(network) as (manager, listener):
        client = await manager.dial(listener.url)
        server, _ = await listener.accept()
        held = client.get_protocol()
        assert isinstance(held, HoldingProtocol)
        for _ in range(20):
            client.write(bytes(10_000))
        assert held.writing_paused
        reader, _ = streams(server)
        assert len(await reader.readexactly(200_000)) == 200_000
        await until(lambda: not held.writing_paused)
        client.abort()
        server.abort()


@asynccontextmanager
async def upgraded(
    network: Network, listener: ManagedListener
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReader]]:
    """Yield a client's raw reader and writer after its upgrade, and the reader of the listener's end."""
    reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
    writer.write(b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: ygg-ws\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    server, _ = await listener.accept()
    other_reader, other = streams(server)
    try:
        yield reader, writer, other_reader
    finally:
        writer.close()
        other.close()


@on_loops
async def test_text_is_refused() -> None:
    async with (
        LoopbackNetwork() as network, listening(network) as (_, listener),
        upgraded(network, listener) as (reader, writer, other_reader),
    ):
        writer.write(b"\x81\x82\0\0\0\0hi")
        with pytest.raises(ConnectionResetError, match="sent text"):
            await other_reader.read()
        assert b"\x03\xeb" in await reader.read()


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"\x88\x82\0\0\0\0\x03\xe8", None),
        (b"\x88\x80\0\0\0\0", None),
        (b"\x88\x82\0\0\0\0\x03\xf3", "code 1011"),
    ],
    ids=["normal", "no code", "internal error"],
)
@on_loops
async def test_the_code_of_a_close_is_told(frame: bytes, error: str | None) -> None:
    async with (
        LoopbackNetwork() as network, listening(network) as (_, listener),
        upgraded(network, listener) as (reader, writer, other_reader),
    ):
        writer.write(frame)
        with pytest.raises(ConnectionResetError, match=error) if error else contextlib.nullcontext():
            await other_reader.read()
        assert await reader.read()  # the answer to the close


@pytest.mark.parametrize(
    "frames",
    [
        b"\x82\x02hi",  # not masked
        b"\xf2\x80\0\0\0\0",  # reserved bits
        b"\x83\x80\0\0\0\0",  # an opcode there is none of
        b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # eight exbibytes
        b"\x89\xfe\x01\x00\0\0\0\0" + bytes(256),  # a ping too long
        b"\x80\x81\0\0\0\0x",  # the rest of no message
    ],
)
@on_loops
async def test_frames_that_are_nonsense_end_the_link_and_nothing_else(frames: bytes) -> None:
    async with LoopbackNetwork() as network, listening(network) as (manager, listener):
        async with upgraded(network, listener) as (reader, writer, other_reader):
            writer.write(frames)
            with pytest.raises(ConnectionResetError):
                await other_reader.read()
            assert b"\x88" in await reader.read()  # told why
        good = await manager.dial(listener.url)
        await listener.accept()
        assert not good.is_closing()
        good.abort()


@on_loops
async def test_a_peer_that_nobody_has_accepted_yet_is_held_back() -> None:
    async with LoopbackNetwork() as network, listening(network) as (_, listener):
        reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
        writer.write(b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: ygg-ws\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        message = b"\x82\xfe\xff\xff\0\0\0\0" + bytes(65535)
        for _ in range(100):
            writer.write(message)
            await settle(2)
        # The write buffer of a connection in memory is what the other side has not taken.
        assert writer.transport.get_write_buffer_size() > 98 * len(message)
        server, _ = await listener.accept()
        other_reader, other = streams(server)
        for _ in range(100):
            await other_reader.readexactly(65535)
        other.close()
        writer.transport.abort()


@on_loops
async def test_a_peer_that_pings_and_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers to its pings must not pile up."""
    monkeypatch.setattr(layered, "MOST_ANSWERS", 100_000)
    async with LoopbackNetwork() as network, listening(network) as (_, listener):
        reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
        writer.write(b"GET / HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: ygg-ws\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        server, _ = await listener.accept()
        other_reader, other = streams(server)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        ping = b"\x89\xfd\0\0\0\0" + bytes(125)
        for _ in range(100):
            writer.write(ping * 100)
            await asyncio.sleep(0)
        with pytest.raises(ConnectionResetError, match="reads no answers"):
            await other_reader.read()
        assert server.get_write_buffer_size() < 300_000
        other.close()
        writer.transport.abort()
