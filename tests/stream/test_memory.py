"""ygg.stream.memory: in-memory streams behave like asyncio's socket transports."""

import asyncio
import gc
import socket
import weakref
from typing import Any

import pytest

from tests.aio import LOOPS, on_loops, run, settle
from ygg.errors import ConnectionReset
from ygg.stream.memory import MemoryTransport
from ygg.stream.transport import HIGH_WATER


class Log(asyncio.Protocol):
    """Writes down what it is told; keeps a half-closed connection if asked to."""

    def __init__(self, keep_open: bool = False) -> None:
        self.keep_open = keep_open
        self.data = b""
        self.events: list[str] = []
        self.error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        assert type(data) is bytes
        self.data += data

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.error = exc


class BufferLog(Log, asyncio.BufferedProtocol):
    """The same through a small buffer."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes: int) -> None:
        self.data += bytes(self.buffer[:nbytes])


def pair(left: asyncio.BaseProtocol, right: asyncio.BaseProtocol) -> tuple[MemoryTransport, MemoryTransport]:
    one = MemoryTransport(("127.0.0.1", 1), ("127.0.0.1", 2))
    two = MemoryTransport(("127.0.0.1", 2), ("127.0.0.1", 1))
    one.start(two, left)
    two.start(one, right)
    return one, two


@on_loops
async def test_bytes_cross_in_order_and_the_end_after_them() -> None:
    left, right = Log(), Log()
    one, _ = pair(left, right)
    one.write(b"a")
    one.write(bytearray(b"b"))
    one.write(memoryview(b"c"))
    one.writelines([b"d", b"e"])
    one.close()
    assert one.is_closing()
    await settle()
    assert right.data == b"abcde"
    assert right.events == ["made", "eof", "lost"]
    assert left.events == ["made", "lost"]
    assert left.error is right.error is None


@on_loops
async def test_a_written_buffer_may_be_reused_at_once() -> None:
    right = Log()
    one, _ = pair(Log(), right)
    data = bytearray(b"first")
    one.write(data)
    data[:] = b"xxxxx"
    await settle()
    assert right.data == b"first"
    one.close()


@pytest.mark.parametrize("size", [1, 3, 1000])
@on_loops
async def test_a_buffered_protocol_gets_all(size: int) -> None:
    right = BufferLog(size)
    one, _ = pair(Log(), right)
    sent = bytes(range(256)) * 3
    for start in range(0, len(sent), 100):
        one.write(sent[start : start + 100])
    one.write_eof()
    await settle()
    assert right.data == sent
    assert right.events == ["made", "eof", "lost"]
    one.close()


@on_loops
async def test_half_close_leaves_the_other_direction_open() -> None:
    left, right = Log(), Log(keep_open=True)
    one, two = pair(left, right)
    assert one.can_write_eof()
    one.write(b"question")
    one.write_eof()
    await settle()
    assert right.events == ["made", "eof"]
    two.write(b"answer")
    two.close()
    await settle()
    assert left.data == b"answer"
    assert left.events == ["made", "eof", "lost"]
    with pytest.raises(RuntimeError):
        one.write(b"more")


@on_loops
async def test_the_writer_is_paused_by_a_reader_that_does_not_read() -> None:
    left, right = Log(), Log()
    one, two = pair(left, right)
    two.pause_reading()
    assert not two.is_reading()
    one.write(bytes(HIGH_WATER))
    assert left.events == ["made"]
    one.write(b"x")
    assert left.events == ["made", "pause"]
    assert one.get_write_buffer_size() == HIGH_WATER + 1
    await settle()
    assert right.data == b""
    two.resume_reading()
    await settle()
    assert left.events == ["made", "pause", "resume"]
    assert len(right.data) == HIGH_WATER + 1
    one.close()


@on_loops
async def test_write_buffer_limits_are_asyncios() -> None:
    one, _ = pair(Log(), Log())
    one.set_write_buffer_limits(high=100)
    assert one.get_write_buffer_limits() == (25, 100)
    one.set_write_buffer_limits(low=10)
    assert one.get_write_buffer_limits() == (10, 40)
    one.set_write_buffer_limits()
    assert one.get_write_buffer_limits() == (HIGH_WATER // 4, HIGH_WATER)
    with pytest.raises(ValueError, match="must be >="):
        one.set_write_buffer_limits(high=1, low=2)
    one.close()


@on_loops
async def test_closing_with_unread_input_resets() -> None:
    left, right = Log(), Log()
    one, two = pair(left, right)
    two.pause_reading()
    one.write(b"never read")
    two.close()
    await settle()
    assert isinstance(left.error, ConnectionReset)
    assert right.error is None


@on_loops
async def test_what_arrived_before_a_reset_is_read_before_it() -> None:
    left, right = Log(), Log()
    one, _ = pair(left, right)
    one.write(b"last words")
    one.reset()
    await settle()
    assert right.data == b"last words"
    assert isinstance(right.error, ConnectionReset)
    assert left.error is None
    assert left.events == ["made", "lost"]


@pytest.mark.parametrize("unread", [b"", b"unread"])
@on_loops
async def test_an_abort_resets_when_something_is_unread(unread: bytes) -> None:
    right = Log()
    one, two = pair(Log(), right)
    one.pause_reading()
    two.write(unread)
    one.write(b"last words")
    one.abort()
    await settle()
    assert right.data == b"last words"
    assert isinstance(right.error, ConnectionReset) == bool(unread)


@on_loops
async def test_writing_to_who_has_closed_resets() -> None:
    left, right = Log(keep_open=True), Log()
    one, two = pair(left, right)
    two.close()
    await settle()
    assert left.events == ["made", "eof"]
    one.write(b"anyone there?")
    await settle()
    assert isinstance(left.error, ConnectionReset)


@on_loops
async def test_a_paused_writer_learns_that_its_reader_is_gone() -> None:
    left, right = Log(), Log()
    one, two = pair(left, right)
    one.pause_reading()
    two.pause_reading()
    one.write(bytes(HIGH_WATER + 1))
    two.close()
    await settle()
    assert left.events == ["made", "pause", "lost"]


@on_loops
async def test_connection_lost_comes_once_whatever_is_called() -> None:
    left, right = Log(), Log()
    one, two = pair(left, right)
    one.close()
    one.abort()
    one.close()
    two.abort()
    one._force_close(OSError())
    one.write(b"x")
    one.write_eof()
    await settle()
    assert left.events.count("lost") == right.events.count("lost") == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_protocol_that_raises_loses_its_connection_and_the_loop_is_told(loop: str) -> None:
    class Bad(Log):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    told: list[dict[str, Any]] = []
    left, right = Log(), Bad()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        one, _ = pair(left, right)
        one.write(b"x")
        await settle()

    run(main(), loop)
    assert isinstance(right.error, ZeroDivisionError)
    assert left.events == ["made", "eof", "lost"]
    assert isinstance(told[0]["exception"], ZeroDivisionError)


@on_loops
async def test_one_stream_does_not_starve_the_loop() -> None:
    right = Log()
    one, two = pair(Log(), right)
    two.pause_reading()
    for _ in range(64):
        one.write(bytes(64 * 1024))
    two.resume_reading()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(right.data) < 64 * 64 * 1024
    await settle(100)
    assert len(right.data) == 64 * 64 * 1024
    one.close()


@on_loops
async def test_streams_run_on_it() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    right = Log(keep_open=True)
    one, two = pair(protocol, right)
    writer = asyncio.StreamWriter(one, protocol, reader, loop)
    writer.write(b"x" * 100_000)
    await writer.drain()
    two.write(b"line\n")
    assert await reader.readline() == b"line\n"
    writer.close()
    await writer.wait_closed()
    await settle()
    assert len(right.data) == 100_000
    two.close()


@on_loops
async def test_extra_info_has_names_and_a_socket_of_sorts() -> None:
    one, _ = pair(Log(), Log())
    assert one.get_extra_info("sockname") == ("127.0.0.1", 1)
    assert one.get_extra_info("peername") == ("127.0.0.1", 2)
    sock = one.get_extra_info("socket")
    assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    assert (sock.getsockname(), sock.getpeername(), sock.fileno()) == (("127.0.0.1", 1), ("127.0.0.1", 2), -1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
    with pytest.raises(TypeError):
        one.write("text")  # type: ignore[arg-type]
    one.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_forgotten_stream_warns(loop: str) -> None:
    async def main() -> None:
        pair(Log(), Log())
        await settle()
        with pytest.warns(ResourceWarning, match="unclosed transport"):
            gc.collect()

    run(main(), loop)


def test_a_record_of_the_log_keeps_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers may keep records for as long as they like: error trackers do, and pytest."""

    async def main() -> weakref.ref[MemoryTransport]:
        one, _ = pair(Log(), Log())
        one.abort()
        for _ in range(20):
            one.write(b"lost")
        await settle()
        return weakref.ref(one)

    transport = run(main())
    assert any("closed" in message for message in caplog.messages)
    gc.collect()
    assert transport() is None
