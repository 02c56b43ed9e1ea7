"""Streams between two VTuns, with asyncio's shapes."""

import asyncio
import errno
import hashlib
import os
import random
import socket
import struct

import pytest

from tests.aio import settle, until
from tests.expecting import raises_errno
from ygg.errors import YggError


class Recorder(asyncio.Protocol):
    """Writes down what a transport tells."""

    def __init__(self, keep_open: bool = False) -> None:
        self.keep_open = keep_open
        self.events: list[str] = []
        self.data = bytearray()
        self.error: Exception | None = None
        self.transport: asyncio.Transport = None
        self.lost = asyncio.get_running_loop().create_future()
        self.eof = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.events.append("made")
        self.transport = transport

    def data_received(self, data):
        assert type(data) is bytes
        self.data += data

    def eof_received(self):
        self.events.append("eof")
        self.eof.set_result(None)
        return self.keep_open

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")

    def connection_lost(self, exc):
        self.events.append("lost")
        self.error = exc
        self.lost.set_result(exc)


class BufferedRecorder(Recorder, asyncio.BufferedProtocol):
    """Takes data through a small buffer of its own."""

    def __init__(self, keep_open=False):
        super().__init__(keep_open)
        self.buffer = bytearray(1000)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.data += self.buffer[:nbytes]


async def connect(pair, server_side=Recorder, client_side=Recorder, **options):
    """Return (server protocol, client protocol, server) of a new connection from a to b."""
    accepted = asyncio.get_running_loop().create_future()

    def factory():
        protocol = server_side()
        if not accepted.done():
            accepted.set_result(protocol)
        return protocol

    server = await pair.b.create_server(factory, port=0)
    port = server.sockets[0].getsockname()[1]
    _, client = await pair.a.create_connection(client_side, pair.address_b, port, **options)
    return await accepted, client, server


def test_echo_over_streams(with_pair):
    async def main(pair):
        async def handle(reader, writer):
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await pair.b.start_server(handle, port=8080) as server:
            assert server.sockets[0].getsockname() == ("::", 8080, 0, 0)
            reader, writer = await pair.a.open_connection(pair.address_b, 8080)
            for word in (b"one\n", b"two\n"):
                writer.write(word)
                assert await reader.readline() == word.upper()
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    with_pair(main)


@pytest.mark.parametrize("kind", [Recorder, BufferedRecorder])
@pytest.mark.parametrize("size", [1, 100_000, 12_000_000])
def test_bulk_arrives_whole_in_both_directions(with_pair, kind, size):
    payload = random.Random(size).randbytes(size)

    async def main(pair):
        there, here, server = await connect(pair, lambda: kind(keep_open=True), lambda: kind(keep_open=True))
        for protocol in (there, here):
            for start in range(0, size, 700_001):
                protocol.transport.write(payload[start : start + 700_001])
            protocol.transport.write_eof()
        for protocol in (there, here):
            await protocol.eof
            assert hashlib.sha256(protocol.data).digest() == hashlib.sha256(payload).digest()
            assert not protocol.transport.is_closing()
            protocol.transport.close()
        assert await there.lost is None
        assert await here.lost is None
        assert here.events[-1] == "lost"
        assert here.events.count("made") == here.events.count("eof") == here.events.count("lost") == 1
        server.close()

    with_pair(main)


def test_mutable_data_is_copied_at_the_call(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        data = bytearray(b"x" * 100_000)
        here.transport.write(data)
        here.transport.write(memoryview(data)[:10])
        here.transport.writelines([b"a", bytearray(b"b")])
        data[:] = b"y" * 100_000
        await until(lambda: len(there.data) == 100_012)
        assert there.data == b"x" * 100_010 + b"ab"
        here.transport.close()
        await there.lost
        server.close()

    with_pair(main)


def test_a_reader_that_pauses_closes_the_window_and_resumes(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        there.transport.pause_reading()
        assert not there.transport.is_reading()
        size = 60_000_000
        here.transport.write(bytes(size))
        await until(lambda: "pause" in here.events)
        await settle(100)
        assert there.data == b""
        assert here.transport.get_write_buffer_size() > 40_000_000      # no buffer on the way took it
        there.transport.resume_reading()
        await until(lambda: len(there.data) == size)
        await until(lambda: here.events == ["made", "pause", "resume"])
        assert here.transport.get_write_buffer_size() == 0
        here.transport.close()
        await there.lost
        server.close()

    with_pair(main)


def test_write_buffer_limits(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        transport = here.transport
        transport.set_write_buffer_limits(high=5000)
        assert transport.get_write_buffer_limits() == (1250, 5000)
        transport.set_write_buffer_limits(low=100)
        assert transport.get_write_buffer_limits() == (100, 400)
        with pytest.raises(ValueError, match="must be >="):
            transport.set_write_buffer_limits(high=1, low=2)
        limit = transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        transport.set_write_buffer_limits(high=400)
        there.transport.pause_reading()
        transport.write(bytes(limit + 400))
        assert here.events == ["made"]
        transport.write(b"+")
        assert here.events == ["made", "pause"]
        there.transport.resume_reading()
        await until(lambda: here.events == ["made", "pause", "resume"])
        transport.abort()
        server.close()

    with_pair(main)


def test_drain_waits_for_a_slow_reader(with_pair):
    async def main(pair):
        async def handle(reader, writer):
            await asyncio.sleep(0.05)
            total = 0
            while chunk := await reader.read(100_000):
                total += len(chunk)
            writer.write(str(total).encode())
            writer.close()

        async with await pair.b.start_server(handle, port=0) as server:
            reader, writer = await pair.a.open_connection(pair.address_b, server.sockets[0].getsockname()[1])
            most = 0
            for _ in range(300):
                writer.write(bytes(100_000))
                await writer.drain()
                most = max(most, writer.transport.get_write_buffer_size())
            assert most < 1_000_000
            writer.write_eof()
            assert await reader.read() == b"30000000"
            writer.close()

    with_pair(main)


def test_what_was_written_before_close_arrives(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        here.transport.write(bytes(5_000_000))
        here.transport.close()
        assert here.transport.is_closing()
        here.transport.write(b"lost")
        await there.lost
        assert len(there.data) == 5_000_000
        assert there.events == ["made", "eof", "lost"]
        assert await here.lost is None
        server.close()

    with_pair(main)


def test_half_close_leaves_the_other_direction_open(with_pair):
    async def main(pair):
        there, here, server = await connect(pair, lambda: Recorder(keep_open=True))
        assert here.transport.can_write_eof()
        here.transport.write(b"request")
        here.transport.write_eof()
        with pytest.raises(RuntimeError, match="after write_eof"):
            here.transport.write(b"more")
        await there.eof
        await settle()
        there.transport.write(b"answer")
        there.transport.close()
        await here.lost
        assert (there.data, here.data) == (b"request", b"answer")
        server.close()

    with_pair(main)


class Echo(Recorder):
    """Sends back what comes, and does not care whether it is taken."""

    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


class BufferedEcho(BufferedRecorder):
    """The same with a buffer of its own."""

    def buffer_updated(self, nbytes):
        super().buffer_updated(nbytes)
        self.transport.write(self.buffer[:nbytes])


@pytest.mark.parametrize("kind", [Echo, BufferedEcho])
def test_an_echo_is_given_little_while_its_peers_node_takes_nothing(with_pair, kind):
    async def main(pair):
        pair.b.stack.max_buffered = 100_000
        pair.a.stack.receive_buffer = pair.a.stack.receive_buffer_max = 16_384
        made = [await connect(pair, kind) for _ in range(6)]
        for number, (_, here, _) in enumerate(made):
            here.transport.pause_reading()
            here.transport.write(bytes([number]) * 200_000)

        def given():
            return sum(len(there.data) for there, _, _ in made)

        last = -1
        while given() != last:
            last = given()
            await settle(50)
        assert 50_000 < last < 500_000
        assert sum(pair.b.stack.buffered) < 500_000
        for _, here, _ in made:
            here.transport.resume_reading()
        await until(lambda: all(len(here.data) == 200_000 for _, here, _ in made))
        assert all(set(here.data) == {number} for number, (_, here, _) in enumerate(made))
        for there, here, server in made:
            here.transport.close()
            await there.lost
            server.close()

    with_pair(main)


def test_eof_while_paused_is_told_after_the_data(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        there.transport.pause_reading()
        here.transport.write(b"last words")
        here.transport.write_eof()
        await settle()
        assert there.events == ["made"]
        there.transport.resume_reading()
        await there.lost
        assert there.data == b"last words"
        assert there.events == ["made", "eof", "lost"]
        await here.lost
        server.close()

    with_pair(main)


def test_abort_resets_the_peer(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        here.transport.write(b"before")
        await until(lambda: there.data == b"before")
        here.transport.get_extra_info("options").linger = 0     # else it would end the stream, with nothing unread
        here.transport.abort()
        assert await here.lost is None
        error = await there.lost
        assert isinstance(error, ConnectionResetError)
        assert isinstance(error, YggError)
        assert error.errno == errno.ECONNRESET
        server.close()

    with_pair(main)


def test_linger_zero_resets_on_close(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        sock = here.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        here.transport.close()
        assert isinstance(await there.lost, ConnectionResetError)
        server.close()

    with_pair(main)


def test_linger_reaches_the_connection(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        sock = here.transport.get_extra_info("socket")
        for on, seconds, expected in ((1, 3, 3), (0, 3, None), (1, -1, None)):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, seconds))
            assert here.transport.get_extra_info("options").linger == expected
        here.transport.close()
        assert await there.lost is None
        server.close()

    with_pair(main)


def test_extra_info_and_the_socket_view(with_pair):
    async def main(pair):
        there, here, server = await connect(pair, local_addr=("", 4321))
        transport = here.transport
        port = server.sockets[0].getsockname()[1]
        assert transport.get_extra_info("sockname") == (pair.address_a, 4321, 0, 0)
        assert transport.get_extra_info("peername") == (pair.address_b, port, 0, 0)
        assert there.transport.get_extra_info("peername") == (pair.address_a, 4321, 0, 0)
        assert transport.get_extra_info("nothing", 7) == 7
        sock = transport.get_extra_info("socket")
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        assert sock.getpeername() == transport.get_extra_info("peername")
        assert sock.fileno() == -1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert struct.unpack("i", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)) == (3,)
        with raises_errno(errno.ENOPROTOOPT):
            sock.setsockopt(socket.IPPROTO_TCP, 9999, 1)
        transport.close()
        await there.lost
        assert sock.getsockname() == (pair.address_a, 4321, 0, 0)
        with raises_errno(errno.EBADF):
            sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        server.close()

    with_pair(main)


def test_congestion_control_can_be_chosen_for_a_connection(with_pair):
    option = (socket.IPPROTO_TCP, socket.TCP_CONGESTION)

    async def main(pair):
        _, here, server = await connect(pair)
        sock = here.transport.get_extra_info("socket")
        assert sock.getsockopt(*option, 16) == b"cubic"
        for name in (b"newreno", b"cubic\0\0"):
            sock.setsockopt(*option, name)
            assert sock.getsockopt(*option, 16) == name.rstrip(b"\0")
        with raises_errno(errno.ENOENT):
            sock.setsockopt(*option, b"carrier-pigeon")
        with pytest.raises(TypeError):
            sock.setsockopt(*option, 1)
        datagrams, _ = await pair.a.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(pair.address_b, 9))
        with raises_errno(errno.ENOPROTOOPT):
            datagrams.get_extra_info("socket").setsockopt(*option, b"cubic")
        datagrams.close()
        here.transport.close()
        server.close()

    with_pair(main)


def test_what_comes_with_the_handshake_is_told(with_pair):
    class Hasty(asyncio.Protocol):
        def connection_made(self, transport):
            transport.write(b"220 ready")
            if not hold:
                transport.close()

    async def main(pair):
        nonlocal hold
        async with await pair.b.create_server(Hasty, port=80) as server:
            for hold in (True, False):
                reader, writer = await pair.a.open_connection(pair.address_b, 80)
                assert await reader.readexactly(9) == b"220 ready"
                if not hold:
                    assert await reader.read() == b""
                writer.close()
            server.close_clients()

    hold = False
    with_pair(main)


def test_a_protocol_that_raises_at_the_start_loses_its_connection(with_pair):
    class Broken(Recorder):
        def connection_made(self, transport):
            raise RuntimeError("broken protocol")

    async def main(pair):
        async def dial():
            _, here = await pair.a.create_connection(Recorder, pair.address_b, 80)
            raise await here.lost

        server = await pair.b.create_server(Broken, port=80)
        with pytest.raises(ConnectionResetError):       # by the dial, or after it
            await dial()
        server.close()

    (context,) = with_pair(main, expect=1)
    assert "connection_made" in context["message"]


@pytest.mark.parametrize("method", ["data_received", "eof_received"])
def test_a_protocol_that_raises_loses_its_connection(with_pair, method):
    async def main(pair):
        def broken():
            protocol = Recorder()

            def fail(*_):
                raise RuntimeError("broken protocol")

            setattr(protocol, method, fail)
            return protocol

        there, here, server = await connect(pair, broken)
        here.transport.write(b"hello")
        here.transport.write_eof()
        assert isinstance(await there.lost, RuntimeError)
        assert isinstance(await here.lost, ConnectionResetError)
        server.close()

    (context,) = with_pair(main, expect=1)
    assert method in context["message"]


def test_a_buffered_protocol_with_an_empty_buffer_loses_its_connection(with_pair):
    class Empty(BufferedRecorder):
        def get_buffer(self, sizehint):
            return bytearray()

    async def main(pair):
        there, here, server = await connect(pair, Empty)
        here.transport.write(b"hello")
        assert isinstance(await there.lost, RuntimeError)
        await here.lost
        server.close()

    with_pair(main, expect=1)


def test_the_protocol_can_be_changed_between_two_reads(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        here.transport.write(b"one")
        await until(lambda: there.data == b"one")
        second = BufferedRecorder()
        there.transport.set_protocol(second)
        assert there.transport.get_protocol() is second
        here.transport.write(b"two")
        await until(lambda: second.data == b"two")
        here.transport.close()
        await second.lost
        assert there.events == ["made"]
        server.close()

    with_pair(main)


def test_an_answer_from_a_callback_leaves_in_the_same_turn(with_pair):
    class Echo(Recorder):
        def data_received(self, data):
            self.transport.write(data)

    async def main(pair):
        class Noting(Recorder):
            def data_received(self, data):
                super().data_received(data)
                turns.append(pair.wire.turns)

        turns = []
        there, here, server = await connect(pair, Echo, Noting)
        await settle()
        before = pair.wire.turns
        here.transport.write(b"ping")
        await until(lambda: here.data == b"ping")
        assert turns == [before + 1]
        here.transport.abort()
        await there.lost
        server.close()

    with_pair(main)


def test_lost_packets_lose_no_byte(with_pair):
    payload = random.Random(3).randbytes(300_000)

    async def main(pair):
        dice = random.Random(7)
        pair.wire.passes = lambda packet: dice.random() > 0.1
        pair.a.stack.min_rto = pair.b.stack.min_rto = 5_000_000
        there, here, server = await connect(pair)
        here.transport.write(payload)
        here.transport.close()
        await there.lost
        assert there.data == payload
        server.close()

    with_pair(main, mtu=1280)


def test_a_forgotten_transport_warns(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        transport = there.transport
        transport._connection.on_event = None
        transport._registry.discard(transport)
        server._transports.clear()
        server.close()
        await settle()
        del transport
        with pytest.warns(ResourceWarning, match="unclosed transport"):
            there.transport = None
        assert isinstance(await here.lost, ConnectionResetError)

    with_pair(main)


def test_who_writes_all_before_it_reads_waits_for_nothing(with_pair):
    """However much that is: what a client has queued itself keeps no answer from it."""
    data = os.urandom(1 << 20) * 40

    async def echo(reader, writer):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def main(pair):
        async with await pair.b.start_server(echo, port=7) as server:
            reader, writer = await pair.a.open_connection(pair.address_b, 7)
            writer.write(data)
            writer.write_eof()
            assert await reader.read() == data
            writer.close()
            server.close_clients()

    with_pair(main)
