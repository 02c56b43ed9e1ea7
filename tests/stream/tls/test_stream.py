"""ygg.stream.tls.stream: TLS over connections of any kind."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from ygg.errors import ConnectionReset, ConnectTimeout, TLSError
from ygg.identity.certificate import Certificate
from ygg.network import (
    HoldingProtocol,
    LoopbackNetwork,
    NativeNetwork,
    Network,
    WrapperTransport,
    take_over,
)
from ygg.network.streams import streams
from ygg.stream import layered
from ygg.stream.inbox import Inbox
from ygg.stream.tls.contexts import client_context, dialing_context, listening_context, server_context
from ygg.stream.tls.handshake import start_tls
from ygg.stream.tls.stream import TLSStream

NETWORKS = pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])
CERTIFICATE = Certificate.generate()
CLIENT: Any = None
SERVER: Any = None
Pair = tuple[asyncio.Transport, asyncio.Transport]


@pytest.fixture(autouse=True, params=["ssl", "engine"])
def contexts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each test use the ssl module's TLS, then the engine's own."""
    made: tuple[object, object] = (client_context(), server_context(CERTIFICATE))
    if request.param == "engine":
        made = (dialing_context(), listening_context(CERTIFICATE))
        assert not any(isinstance(context, ssl.SSLContext) for context in made)
    monkeypatch.setitem(globals(), "CLIENT", made[0])
    monkeypatch.setitem(globals(), "SERVER", made[1])


class Log(asyncio.Protocol):
    """Writes down what it is told; stays half-open."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data = b""
        self.error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.told.append("eof")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.error = exc

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


class Buffered(asyncio.BufferedProtocol):
    """Takes what it is given in a buffer of so many bytes."""

    def __init__(self, size: int) -> None:
        self.space = bytearray(size)
        self.data = bytearray()
        self.calls = 0

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.space

    def buffer_updated(self, nbytes: int) -> None:
        self.data += self.space[:nbytes]
        self.calls += 1


@asynccontextmanager
async def carriers(network_type: type[Network] = LoopbackNetwork) -> AsyncIterator[Pair]:
    async with network_type() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        server, _ = await listener.accept()
        yield client, server
        client.abort()
        server.abort()
        await settle()


@asynccontextmanager
async def secured(network_type: type[Network] = LoopbackNetwork) -> AsyncIterator[Pair]:
    async with carriers(network_type) as (near, far):
        yield await asyncio.gather(
            start_tls(near, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
        )


@NETWORKS
@on_loops
async def test_it_is_held_until_taken_over(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        assert isinstance(near.get_protocol(), HoldingProtocol)
        assert not near.is_reading()
        near.write(b"secret\n")
        near.close()
        reader, _ = streams(far)
        assert await reader.read() == b"secret\n"


@NETWORKS
@on_loops
async def test_what_can_be_asked_of_it(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        assert near.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert near.get_extra_info("sslcontext") is CLIENT
        assert near.get_extra_info("cipher")[1] == "TLSv1.3"
        assert near.get_extra_info("compression") is None
        assert near.get_extra_info("peercert") == {}
        assert near.get_extra_info("peername")[:2] == far.get_extra_info("sockname")[:2]
        assert near.get_extra_info("socket") is not None
        assert near.get_extra_info("nothing", 5) == 5
        assert near.can_write_eof()
        near.set_write_buffer_limits(high=1000, low=10)
        assert near.get_write_buffer_limits() == (10, 1000)
        assert "open" in repr(near)


@NETWORKS
@pytest.mark.parametrize("size", [1000, 16384, 300_000])
@on_loops
async def test_buffered_protocols_get_what_was_sent(network_type: type[Network], size: int) -> None:
    async with secured(network_type) as (near, far):
        sent, protocol = os.urandom(1_000_000), Buffered(size)
        take_over(far, protocol)
        near.writelines([sent[:500_000], memoryview(sent)[500_000:]])
        await until(lambda: len(protocol.data) == len(sent))
        assert protocol.data == sent
        assert protocol.calls <= 1 + len(sent) // min(size, 16384) + 100


@on_loops
async def test_a_batch_of_records_is_one_call() -> None:
    async with secured() as (near, far):
        protocol = Buffered(layered.LARGE)
        take_over(far, protocol)
        near.write(bytes(layered.LARGE))
        await until(lambda: len(protocol.data) == layered.LARGE)
        before = protocol.calls
        near.write(bytes(160_000))
        await until(lambda: len(protocol.data) == layered.LARGE + 160_000)
        assert protocol.calls - before <= 2  # ten records


@NETWORKS
@on_loops
async def test_a_half_closed_stream_carries_the_answer(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        one, other = Log(), Log()  # asyncio's streams close what speaks TLS at the end of one direction
        take_over(near, one)
        take_over(far, other)
        far.write(b"early ")
        near.write(b"question")
        near.write_eof()
        await until(lambda: "eof" in other.told)
        assert other.data == b"question"
        far.write(b"answer" * 100_000)
        far.close()
        await until(lambda: "eof" in one.told)
        assert one.data == b"early " + b"answer" * 100_000
        with pytest.raises(RuntimeError):
            near.write(b"x")


@on_loops
async def test_eof_before_anything_is_read_keeps_what_came() -> None:
    async with secured() as (near, far):
        far.write(b"x" * 50_000)
        await settle()
        near.write_eof()
        near.write_eof()
        reader, _ = streams(near)
        assert await reader.readexactly(50_000) == b"x" * 50_000


@NETWORKS
@on_loops
async def test_a_paused_reader_holds_the_writer_back(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        writer, reader = Log(), Log()
        take_over(near, writer)
        take_over(far, reader)
        far.pause_reading()
        await settle()
        reader.data = b""
        sent = 0
        while "pause" not in writer.told:
            near.write(bytes(65536))
            sent += 65536
            await settle(2)
        assert near.get_write_buffer_size() > 0
        assert reader.data == b""
        far.resume_reading()
        await until(lambda: len(reader.data) == sent)
        assert writer.told[-1] == "resume"


@on_loops
async def test_pausing_in_the_middle_of_a_batch() -> None:
    class Sipping(Buffered):
        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            far.pause_reading()

    async with secured() as (near, far):
        protocol = Sipping(1000)
        take_over(far, protocol)
        near.write(bytes(5000))
        await asyncio.sleep(0.01)
        for expected in (1000, 2000, 3000):
            assert len(protocol.data) == expected
            far.resume_reading()
            await settle()


@NETWORKS
@on_loops
async def test_both_sides_hear_of_the_end_once(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        one, other = Log(), Log()
        take_over(near, one)
        take_over(far, other)
        near.close()
        near.close()
        near.write(b"too late")
        assert near.is_closing()
        await until(lambda: "eof" in other.told and "lost" in one.told)
        far.close()
        await until(lambda: "lost" in other.told)
        assert one.told == ["made", "lost"]
        assert other.told == ["made", "eof", "lost"]
        assert one.error is None
        assert other.error is None
        assert other.data == b""


def test_a_protocol_without_room_ends_its_connection() -> None:
    async def main() -> list[Any]:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        async with secured() as (near, far):
            take_over(far, Buffered(0))
            near.write(b"x")
            await until(lambda: told)
        return told

    assert [type(error) for error in run(main())] == [RuntimeError]


@pytest.mark.parametrize("end", ["close", "write_eof"])
@on_loops
async def test_close_notify_with_decrypted_data_unread(end: str) -> None:
    class Sipping(Buffered):
        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            near.pause_reading()

    async with secured() as (near, far):
        protocol = Sipping(1000)
        take_over(near, protocol)
        far.write(bytes(50_000))
        await until(lambda: protocol.data)
        getattr(near, end)()
        assert near.is_closing() == (end == "close")
        while not near.is_closing() and len(protocol.data) < 50_000:
            near.resume_reading()
            await settle(2)
        assert len(protocol.data) == (1000 if end == "close" else 50_000)


@on_loops
async def test_a_carrier_that_fails_in_close_notify_is_closed_all_the_same() -> None:
    class Faulty(WrapperTransport):
        faulty = False

        def outgoing(self, data: Any) -> Any:
            if self.faulty:
                raise ZeroDivisionError
            return data

    async with carriers() as (near, far):
        faulty = Faulty(near)
        stream, _ = await asyncio.gather(
            start_tls(faulty, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
        )
        log = Log()
        take_over(stream, log)
        faulty.faulty = True
        with pytest.raises(ZeroDivisionError):
            stream.close()
        await until(lambda: "lost" in log.told)


@on_loops
async def test_an_end_without_close_notify_is_an_end() -> None:
    async with carriers() as (near, far):
        client, _ = await asyncio.gather(
            start_tls(near, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
        )
        log = Log()
        take_over(client, log)
        far.write_eof()
        await until(lambda: "eof" in log.told)
        client.close()


@NETWORKS
@on_loops
async def test_an_abort_sends_no_close_notify_and_is_noticed(network_type: type[Network]) -> None:
    async with secured(network_type) as (near, far):
        log = Log()
        take_over(far, log)
        near.abort()
        await until(lambda: {"eof", "lost"} & set(log.told))
        far.write(b"anyone there?")
        await until(lambda: far.write(b"?") or "lost" in log.told)
        assert isinstance(log.error, ConnectionError)


@NETWORKS
@on_loops
async def test_broken_records_end_the_stream_after_what_came_before(network_type: type[Network]) -> None:
    async with carriers(network_type) as (near, far):
        client, _ = await asyncio.gather(
            start_tls(near, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
        )
        log = Log()
        take_over(client, log)
        far.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        await until(lambda: "lost" in log.told)
        assert isinstance(log.error, TLSError)


@NETWORKS
@on_loops
async def test_nonsense_instead_of_a_handshake(network_type: type[Network]) -> None:
    for server_side, context in ((False, CLIENT), (True, SERVER)):
        async with carriers(network_type) as (near, far):
            far.write(b"GET / HTTP/1.0\r\n\r\n")
            with pytest.raises(ssl.SSLError):
                await start_tls(near, HoldingProtocol(), context, server_side=server_side, ssl_handshake_timeout=30)
            assert near.is_closing()


@NETWORKS
@on_loops
async def test_the_other_side_hangs_up_or_stays_silent(network_type: type[Network]) -> None:
    async with carriers(network_type) as (near, far):
        far.close()
        with pytest.raises(ConnectionError):
            await start_tls(near, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30)
    async with carriers(network_type) as (near, _):
        with pytest.raises(ConnectTimeout):
            await start_tls(near, HoldingProtocol(), CLIENT, ssl_handshake_timeout=0.02)
        assert near.is_closing()


@on_loops
async def test_a_name_that_cannot_be_one() -> None:
    async with carriers() as (near, _):
        with pytest.raises(UnicodeError):
            await start_tls(near, HoldingProtocol(), CLIENT, server_hostname=f"{'a' * 70}.example")
        assert near.is_closing()


@on_loops
async def test_a_certificate_that_is_verified_and_fails() -> None:
    strict = ssl.create_default_context()
    async with carriers() as (near, far):
        results = await asyncio.gather(
            start_tls(near, HoldingProtocol(), strict, server_hostname="a.example", ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
            return_exceptions=True,
        )
        assert isinstance(results[0], ssl.SSLCertVerificationError)
        await until(far.is_closing)


def test_a_protocol_that_raises_ends_the_connection() -> None:
    class Faulty(Log):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    async def main() -> list[Any]:
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))
        async with secured() as (near, far):
            log = Faulty()
            take_over(far, log)
            near.write(b"x")
            await until(lambda: "lost" in log.told)
            assert isinstance(log.error, ZeroDivisionError)
        return complaints

    assert [type(error) for error in run(main())] == [ZeroDivisionError]


@on_loops
async def test_tls_within_tls() -> None:
    async with secured() as pair:
        near, far = await asyncio.gather(
            start_tls(pair[0], HoldingProtocol(), CLIENT, ssl_handshake_timeout=30),
            start_tls(pair[1], HoldingProtocol(), SERVER, server_side=True, ssl_handshake_timeout=30),
        )
        sent, protocol = os.urandom(400_000), Buffered(100_000)
        take_over(far, protocol)
        near.write(sent)
        await until(lambda: len(protocol.data) == len(sent))
        assert protocol.data == sent


class Answering(layered.LayeredTransport):
    """Answers each byte with as many as it is told."""

    size = 70_000

    def __init__(self, carrier: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        super().__init__(carrier, protocol, Inbox())

    def _begin(self) -> None:
        self._open()

    def _received(self, data: bytes | memoryview) -> None:
        self._answer(bytes(self.size))

    def _received_eof(self) -> None:
        self._ended = True

    def _send(self, data: Any) -> None: ...
    def _send_eof(self) -> None: ...
    def _send_end(self) -> None: ...


@on_loops
async def test_answers_to_a_side_that_reads_nothing_are_bounded() -> None:
    async with carriers() as (near, far):
        log = Log()
        stream = Answering(near, log)
        stream.start()
        stream.resume_reading()
        for _ in range(20):
            far.write(b"?")
            await settle(3)
        assert isinstance(log.error, ConnectionReset)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@on_loops
async def test_asyncios_own_tls_at_the_other_end(version: ssl.TLSVersion) -> None:
    context = server_context(Certificate.generate())
    context.minimum_version = context.maximum_version = version

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper() * 10_000)
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0, ssl=context)
    async with server, NativeNetwork() as network:
        carrier = await network.connect_stream(*server.sockets[0].getsockname()[:2])
        stream = await start_tls(carrier, HoldingProtocol(), CLIENT, ssl_handshake_timeout=30)
        assert isinstance(stream, TLSStream)
        reader, writer = streams(stream)
        writer.write(b"hello\n")
        assert await reader.read() == b"HELLO\n" * 10_000
        writer.close()
        await writer.wait_closed()
