"""ygg.stream.held: connections kept still until taken over."""

import asyncio
import contextlib
import socket

import pytest

from tests.aio import on_loops, settle, until
from ygg.network import HoldingProtocol, LoopbackNetwork, NativeNetwork, Network, feed, take_over


class Recorder(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.events.append(bytes(data))

    def eof_received(self) -> None:
        self.events.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")

    def pause_writing(self) -> None:
        self.events.append("pause")


class Reader(asyncio.BufferedProtocol):
    """Reads through a buffer of its own choosing."""

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self.data = b""

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data += self.buffer[:nbytes]


@pytest.mark.parametrize("network", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_nothing_is_read_before_the_take_over_and_nothing_is_lost(network: type[Network]) -> None:
    async with network() as net:
        listener = await net.listen_stream("127.0.0.1", 0)
        client = await net.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        client.write(b"early")
        client.write_eof()
        server, _ = await listener.accept()
        await asyncio.sleep(0.01)
        held = server.get_protocol()
        assert isinstance(held, HoldingProtocol)
        assert not server.is_reading()
        recorder = Recorder()
        take_over(server, recorder)
        await until(lambda: "lost" in recorder.events)
        assert recorder.events == ["made", b"early", "eof", "lost"]
        client.close()


@on_loops
async def test_all_that_was_held_is_told_in_order() -> None:
    held = HoldingProtocol()
    async with LoopbackNetwork() as net:
        listener = await net.listen_stream("127.0.0.1", 0)
        client = await net.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        client.set_protocol(held)
        held.data_received(b"a")
        held.data_received(b"b")
        held.pause_writing()
        recorder = Recorder()
        take_over(client, recorder)
        assert recorder.events == ["made", "pause", b"ab"]
        assert client.is_reading()


@on_loops
async def test_a_protocol_that_pauses_at_once_stays_paused() -> None:
    class Shy(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.ReadTransport)
            transport.pause_reading()

    async with LoopbackNetwork() as net:
        listener = await net.listen_stream("127.0.0.1", 0)
        client = await net.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        take_over(client, Shy())
        assert not client.is_reading()


@on_loops
async def test_a_connection_lost_while_held_is_told_as_lost() -> None:
    async with LoopbackNetwork() as net:
        listener = await net.listen_stream("127.0.0.1", 0)
        client = await net.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        server, _ = await listener.accept()
        server.reset()  # type: ignore[attr-defined]
        await settle()
        recorder = Recorder()
        take_over(client, recorder)
        assert recorder.events == ["made", "lost"]


@on_loops
async def test_a_lost_connection_can_be_held_again() -> None:
    async with NativeNetwork() as net:
        listener = await net.listen_stream("127.0.0.1", 0)
        client = await net.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        server, _ = await listener.accept()
        server.abort()
        client.abort()
        await settle()
        again = HoldingProtocol()
        take_over(client, again)
        assert again.lost
        listener.close()


def test_a_buffered_protocol_is_fed_piece_by_piece() -> None:
    reader = Reader(4)
    feed(reader, b"0123456789")
    assert reader.data == b"0123456789"
    with pytest.raises(RuntimeError):
        feed(Reader(0), b"x")


@pytest.mark.parametrize("dialed", [False, True])
@on_loops
async def test_what_a_stranger_sends_meanwhile_is_not_kept_without_bound(dialed: bool) -> None:
    """uvloop reads on after a pause in connection_made."""
    loop = asyncio.get_running_loop()
    ours, far = socket.socketpair()
    with far:
        far.setblocking(False)
        ours.setblocking(False)
        connect = loop.create_connection if dialed else loop.connect_accepted_socket
        transport, held = await connect(HoldingProtocol, sock=ours)
        sent = 0
        for _ in range(100):
            with contextlib.suppress(BlockingIOError):
                sent += far.send(bytes(1 << 18))
            await settle()
        assert sent < 1 << 22
        assert len(held.held) <= 1 << 18
        transport.abort()
        await settle()
