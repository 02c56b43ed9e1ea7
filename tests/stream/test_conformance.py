"""Every byte stream of ours behaves as asyncio's own do: whichever it is, a protocol sees no difference.

`native` is asyncio's (or uvloop's) own, to keep the checks honest.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from tests.vtunpair import joined
from ygg.identity.certificate import Certificate
from ygg.network import HoldingProtocol, LoopbackNetwork, NativeNetwork, Network, WrapperTransport, take_over
from ygg.stream.tls.contexts import client_context, dialing_context, listening_context, server_context
from ygg.stream.tls.handshake import start_tls
from ygg.transport import DialOptions, ListenOptions, QuicTransport, Transport, WSTransport
from ygg.url import PeerURL
from ygg.vtun import OverlayNetwork

Pair = tuple[Any, Any]
CERTIFICATE = Certificate.generate()
INSIDE = listening_context(CERTIFICATE)


@asynccontextmanager
async def over_network(network: Network, server: Network | None = None, host: str = "127.0.0.1") -> AsyncIterator[Pair]:
    listener = await (server or network).listen_stream(host, 0)
    near = await network.connect_stream(host, int(listener.address.rpartition(":")[2]))
    far, _ = await listener.accept()
    try:
        yield near, far
    finally:
        for end in (near, far):
            if not end.is_closing():
                end.abort()
        listener.close()
        await settle()


@asynccontextmanager
async def native() -> AsyncIterator[Pair]:
    async with NativeNetwork() as network, over_network(network) as pair:
        yield pair


@asynccontextmanager
async def memory() -> AsyncIterator[Pair]:
    async with LoopbackNetwork() as network, over_network(network) as pair:
        yield pair


@asynccontextmanager
async def wrapped() -> AsyncIterator[Pair]:
    async with memory() as (near, far):
        yield WrapperTransport(near), WrapperTransport(far)


@asynccontextmanager
async def secured() -> AsyncIterator[Pair]:
    async with memory() as (near, far):
        yield await asyncio.gather(
            start_tls(near, HoldingProtocol(), dialing_context(), ssl_handshake_timeout=30),
            start_tls(far, HoldingProtocol(), INSIDE, server_side=True, ssl_handshake_timeout=30),
        )


@asynccontextmanager
async def linked(transport: Transport, url: str) -> AsyncIterator[Pair]:
    async with LoopbackNetwork() as network:
        listener = await transport.listen(network, PeerURL.parse(url), ListenOptions())
        scheme = url.partition(":")[0]
        near = await transport.dial(network, PeerURL.parse(f"{scheme}://{listener.address}"), DialOptions())
        if scheme == "quic":
            near.write(b"!")  # a stream is there when something comes
        far, _ = await listener.accept()
        if scheme == "quic":
            await _skip(far)
        try:
            yield near, far
        finally:
            near.abort()
            far.abort()
            listener.close()
            await listener.wait_closed()


async def _skip(far: asyncio.Transport) -> None:
    """Take the byte that opened the stream, and hold it still again."""
    held: Any = far.get_protocol()
    far.resume_reading()
    await until(lambda: held.held)
    far.pause_reading()
    held.held.clear()


def websocket() -> AbstractAsyncContextManager[Pair]:
    pytest.importorskip("websockets")
    return linked(WSTransport(), "ws://127.0.0.1:0")


def quic() -> AbstractAsyncContextManager[Pair]:
    pytest.importorskip("aioquic")
    return linked(QuicTransport(CERTIFICATE), "quic://127.0.0.1:0")


@asynccontextmanager
async def vtun() -> AsyncIterator[Pair]:
    async with (
        joined() as pair,
        OverlayNetwork(pair.a) as near,
        OverlayNetwork(pair.b) as far,
        over_network(near, far, pair.address_b) as ends,
    ):
        yield ends


OURS = (memory, wrapped, secured, websocket, quic, vtun)
each = pytest.mark.parametrize("connected", OURS, ids=lambda kind: kind.__name__)
each_and_native = pytest.mark.parametrize("connected", [native, *OURS], ids=lambda kind: kind.__name__)
Kind = Callable[[], AbstractAsyncContextManager[Pair]]


class Log(asyncio.Protocol):
    """Writes down what it is told; `act` is called with it for each piece of data."""

    def __init__(self, act: Callable[["Log"], object] = lambda log: None, *, keep_open: bool = False) -> None:
        self.act, self.keep_open = act, keep_open
        self.told: list[str] = []
        self.data = bytearray()
        self.error: Exception | None = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert type(data) is bytes
        self.data += data
        self.act(self)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.error = exc


class BufferLog(Log, asyncio.BufferedProtocol):
    """The same through a buffer."""

    def __init__(
        self, act: Callable[[Log], object] = lambda log: None, *, keep_open: bool = False, size: int = 1000
    ) -> None:
        super().__init__(act, keep_open=keep_open)
        self.space = bytearray(size)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.space

    def buffer_updated(self, nbytes: int) -> None:
        assert 0 < nbytes <= len(self.space)
        self.data += self.space[:nbytes]
        self.act(self)


both = pytest.mark.parametrize("kind", [Log, BufferLog])


def taken(pair: Pair, near: Log, far: Log) -> None:
    for transport, log in zip(pair, (near, far), strict=True):
        take_over(transport, log)


# Reading


@both
@each_and_native
@on_loops
async def test_all_bytes_come_in_order_and_the_end_behind_them(connected: Kind, kind: type[Log]) -> None:
    sent = bytes(range(256)) * 1200
    async with connected() as pair:
        near, far = Log(), kind()
        taken(pair, near, far)
        for start in range(0, len(sent), 70_001):
            pair[0].write(sent[start : start + 70_001])
        pair[0].close()
        pair[0].close()
        assert pair[0].is_closing()
        await until(lambda: "lost" in near.told and "eof" in far.told)
        assert far.data == sent
        await until(lambda: "lost" in far.told)
        assert near.error is far.error is None
        assert (near.told.count("lost"), far.told) == (1, ["eof", "lost"])


@both
@each
@on_loops
async def test_a_protocol_that_pauses_is_given_nothing_more(connected: Kind, kind: type[Log]) -> None:
    async with connected() as pair:
        far = kind(lambda log: log.transport.pause_reading())
        taken(pair, Log(), far)
        for _ in range(10):
            pair[0].write(bytes(500))
        while len(far.data) < 5000:
            await until(lambda: not pair[1].is_reading())
            before = bytes(far.data)
            await settle()
            assert far.data == before
            pair[1].pause_reading()
            pair[1].resume_reading()
            pair[1].resume_reading()


@each_and_native
@on_loops
async def test_the_end_waits_while_reading_is_paused(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(), Log(lambda log: log.transport.pause_reading())
        taken(pair, near, far)
        pair[0].write(b"last words")
        pair[0].close()
        await until(lambda: far.data)
        await asyncio.sleep(0.02)
        assert not {"eof", "lost"} & set(far.told)
        pair[1].resume_reading()
        await until(lambda: "eof" in far.told)
        assert far.data == b"last words"


@each
@on_loops
async def test_a_protocol_may_keep_the_other_direction_where_there_are_two(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(keep_open=True), Log(keep_open=True)
        taken(pair, near, far)
        if pair[0].can_write_eof():
            pair[0].write_eof()
            pair[0].write_eof()
            await until(lambda: far.told)
            await settle()
            assert far.told == ["eof"]
            pair[1].write(b"answer")
            await until(lambda: near.data == b"answer")
            with pytest.raises(RuntimeError):
                pair[0].write(b"more")
        else:
            with pytest.raises(NotImplementedError):
                pair[0].write_eof()
            pair[0].close()
            await until(lambda: far.told == ["eof", "lost"])


@each
@on_loops
async def test_another_protocol_of_another_kind_goes_on(connected: Kind) -> None:
    async with connected() as pair:
        first, second, third = Log(), BufferLog(), Log()
        taken(pair, Log(), first)
        for log in (first, second, third):
            pair[1].set_protocol(log)
            assert pair[1].get_protocol() is log
            pair[0].write(bytes(3000))
            await until(lambda log=log: len(log.data) == 3000)  # type: ignore[misc]
        assert len(first.data) == 3000


# Faults of the program


def failing(log: Log) -> None:
    raise ZeroDivisionError


class NoBuffer(BufferLog):
    """Fails before it is given anything."""

    def get_buffer(self, sizehint: int) -> bytearray:
        raise ZeroDivisionError


class FixedBuffer(BufferLog):
    """Gives a buffer that nothing can be written to."""

    def get_buffer(self, sizehint: int) -> Any:
        return bytes(10)


class BadEnd(Log):
    """Fails at the end."""

    def eof_received(self) -> bool:
        raise ZeroDivisionError


FAULTS: dict[str, tuple[Callable[[], Log], type[Exception] | tuple[type[Exception], ...]]] = {
    "data_received": (lambda: Log(failing), ZeroDivisionError),
    "buffer_updated": (lambda: BufferLog(failing), ZeroDivisionError),
    "get_buffer": (NoBuffer, ZeroDivisionError),
    "empty buffer": (lambda: BufferLog(size=0), RuntimeError),
    "read-only buffer": (FixedBuffer, (TypeError, BufferError)),
    "eof_received": (BadEnd, ZeroDivisionError),
}


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
@each
def test_a_protocol_that_raises_loses_its_connection_and_the_loop_is_told(
    connected: Kind, fault: str, resumed: bool
) -> None:
    make, error = FAULTS[fault]
    told: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async with connected() as pair:
            near, far = Log(), make()
            taken(pair, near, far)
            if resumed:
                pair[1].pause_reading()
            pair[0].write(b"x")
            if fault == "eof_received":
                pair[0].close()
            if resumed:
                await asyncio.sleep(0.02)
                assert not told
                pair[1].resume_reading()
            await until(lambda: "lost" in far.told)
            assert isinstance(far.error, error)
            await until(lambda: pair[0].write(b"?") or {"eof", "lost"} & set(near.told))
            assert far.told.count("lost") == 1
            assert told[0]["transport"] is pair[1]

    run(main())
    assert len(told) == 1
    assert isinstance(told[0]["exception"], error)


@each
def test_what_a_hint_to_a_writer_raises_is_reported_and_nothing_ends(connected: Kind) -> None:
    class Deaf(Log):
        def pause_writing(self) -> None:
            super().pause_writing()
            raise ZeroDivisionError

        def resume_writing(self) -> None:
            super().resume_writing()
            raise ZeroDivisionError

    told: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async with connected() as pair:
            near, far = Deaf(), Log()
            taken(pair, near, far)
            sent = await fill(pair, near)
            pair[1].resume_reading()
            await until(lambda: "resume" in near.told)
            await until(lambda: len(far.data) == sent)
            assert not pair[0].is_closing()

    run(main())
    assert [type(context["exception"]) for context in told] == [ZeroDivisionError] * 2


# Writing


async def fill(pair: Pair, near: Log) -> int:
    """Write to a side that does not read until the writer is paused; return the number of bytes."""
    pair[1].pause_reading()
    sent, block = 0, bytes(64 * 1024)
    while "pause" not in near.told:
        pair[0].write(block)
        sent += len(block)
        assert sent < 64 * 1024 * 1024
        await asyncio.sleep(0)
    return sent


@each_and_native
@on_loops
async def test_a_writer_is_paused_and_resumed(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(), Log()
        taken(pair, near, far)
        sent = await fill(pair, near)
        assert pair[0].get_write_buffer_size() > 0
        pair[1].resume_reading()
        await until(lambda: len(far.data) == sent)
        await until(lambda: near.told == ["pause", "resume"])


@each_and_native
@on_loops
async def test_write_limits_are_asyncios(connected: Kind) -> None:
    async with connected() as (near, _):
        near.set_write_buffer_limits(high=100_000)
        assert near.get_write_buffer_limits() == (25_000, 100_000)
        near.set_write_buffer_limits(low=10)
        assert near.get_write_buffer_limits() == (10, 40)
        with pytest.raises(ValueError, match="high"):
            near.set_write_buffer_limits(high=1, low=2)


@each
@on_loops
async def test_what_can_be_written(connected: Kind) -> None:
    async with connected() as pair:
        far = Log()
        taken(pair, Log(), far)
        for nothing in ("text", 5, None):
            with pytest.raises(TypeError):
                pair[0].write(nothing)
        data = bytearray(b"ab")
        pair[0].write(data)
        data[:] = b"xx"
        pair[0].write(b"")
        pair[0].write(memoryview(b"cd"))
        pair[0].writelines([b"e", bytearray(b"f"), memoryview(b"g")])
        await until(lambda: len(far.data) == 7)
        assert far.data == b"abcdefg"


@each
@on_loops
async def test_a_write_of_any_size_comes_whole_before_a_close(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(), Log()
        taken(pair, near, far)
        sent = bytes(range(256)) * 17 * 1024
        pair[0].write(sent)
        pair[0].close()
        await until(lambda: "lost" in far.told)
        assert len(far.data) == len(sent)
        assert far.data == sent
        assert far.error is None


@each
@on_loops
async def test_writing_after_an_end_raises_nothing(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(lambda log: log.transport.pause_reading()), Log()
        taken(pair, near, far)
        pair[1].write(b"last words")  # read with the end behind it, of which the protocol hears later
        pair[1].close()
        await until(lambda: near.data)
        await asyncio.sleep(0.02)
        for _ in range(3):
            pair[0].write(b"anyone there?")
            await asyncio.sleep(0)
        pair[0].close()
        pair[0].write(b"too late")
        await until(lambda: "lost" in near.told)
        pair[0].write(b"too late")
        assert (near.told.count("lost"), far.data) == (1, b"")


# The end


@each
@on_loops
async def test_an_abort_is_told_once_here_and_noticed_there(connected: Kind) -> None:
    async with connected() as pair:
        near, far = Log(), Log(keep_open=True)
        taken(pair, near, far)
        assert "open" in repr(pair[0])
        pair[0].abort()
        pair[0].abort()
        pair[0].close()
        assert pair[0].is_closing()
        assert not pair[0].is_reading()
        await until(lambda: near.told == ["lost"])
        assert near.error is None
        assert "open" not in repr(pair[0])
        await until(lambda: pair[1].write(b"?") or {"eof", "lost"} & set(far.told))


@on_loops
async def test_a_layer_over_a_socket_is_aborted_at_any_time() -> None:
    async with native() as (near, far):
        log, other = Log(), Log()
        outside, inside = await asyncio.gather(
            start_tls(near, log, dialing_context()), start_tls(far, other, INSIDE, server_side=True)
        )
        outside.write(bytes(1 << 24))
        outside.close()  # asyncio's own transport, which has flushed after this, raises at an abort
        await until(lambda: "lost" in log.told)
        outside.abort()
        await until(lambda: "lost" in other.told)
        inside.abort()
        assert len(other.data) == 1 << 24
        assert (log.told, other.told) == (["pause", "resume", "lost"], ["eof", "lost"])


@each
@on_loops
async def test_what_can_be_asked_of_it(connected: Kind) -> None:
    async with connected() as pair:
        assert pair[0].get_extra_info("peername")[:2] == pair[1].get_extra_info("sockname")[:2]
        assert pair[0].get_extra_info("nothing", 5) == 5


# What asyncio does to transports


@each
def test_asyncios_own_sendfile_accepts_it(connected: Kind) -> None:
    async def main() -> None:
        content = bytes(range(256)) * 1024
        async with connected() as pair:
            far = Log()
            taken(pair, Log(), far)
            size = await asyncio.get_running_loop().sendfile(pair[0], io.BytesIO(content))
            assert size == len(content)
            await until(lambda: len(far.data) == size)
            assert far.data == content

    run(main())


@each
def test_asyncios_own_tls_accepts_it(connected: Kind) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with connected() as pair:
            near, far = Log(), Log()
            outside, inside = await asyncio.gather(
                loop.start_tls(pair[0], near, client_context()),
                loop.start_tls(pair[1], far, server_context(CERTIFICATE), server_side=True),
            )
            assert outside is not None
            assert inside is not None
            outside.write(b"secret")
            await until(lambda: far.data == b"secret")
            outside.close()
            inside.close()
            await until(lambda: "lost" in near.told and "lost" in far.told)

    run(main())
