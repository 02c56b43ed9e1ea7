"""ygg.stream.transport: what the base of byte streams sees to, on the smallest subclass there can be.

What each stream of ours makes of it is in test_conformance.py.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.aio import in_virtual_time, run, settle
from ygg.stream.inbox import Inbox
from ygg.stream.transport import ByteStreamTransport


class Pipe(ByteStreamTransport):
    """A stream whose other end is the test."""

    def __init__(self, protocol: asyncio.BaseProtocol, *, half: bool = True) -> None:
        self.inbox, self.sent, self.half = Inbox(), bytearray(), half
        self.ends: list[str] = []
        super().__init__(protocol, self.inbox, {"sockname": "here", "peername": "there"})

    def come(self, *chunks: bytes, end: bool = False) -> None:
        """Have something come from the other side."""
        for chunk in chunks:
            self.inbox.append(chunk)
        self._ended = self._ended or end
        self._deliver()

    def take(self, size: int) -> None:
        """Have the other side take some of what was sent."""
        del self.sent[:size]
        self._resume_if_drained()

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data
        self._pause_if_full()

    def can_write_eof(self) -> bool:
        return self.half

    def _send_eof(self) -> None:
        self.ends.append("eof")

    def get_write_buffer_size(self) -> int:
        return len(self.sent)

    def close(self) -> None:
        self.ends.append("close")
        self._lose(None)

    def _force_close(self, error: BaseException | None) -> None:
        self.ends.append("abort")
        self._lose(error)


class Log(asyncio.Protocol):
    """Writes down what it is told; raises where it is named, and calls `act` with each piece of data."""

    def __init__(self, raises: str = "", *, keep_open: bool = False, act: Callable[[], object] = lambda: None) -> None:
        self.raises, self.keep_open, self.act = raises, keep_open, act
        self.told: list[Any] = []

    def tell(self, name: str, *values: Any) -> None:
        self.told.append((name, *values) if values else name)
        if name == self.raises:
            raise ZeroDivisionError(name)

    def data_received(self, data: bytes) -> None:
        self.act()
        self.tell("data_received", data)

    def eof_received(self) -> bool:
        self.tell("eof_received")
        return self.keep_open

    def pause_writing(self) -> None:
        self.tell("pause_writing")

    def resume_writing(self) -> None:
        self.tell("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self.tell("connection_lost", exc)


class Buffer(asyncio.BufferedProtocol):
    """Gives out the spaces that it was made with, one after the other."""

    def __init__(self, *spaces: Any) -> None:
        self.spaces, self.got = list(spaces), bytearray()
        self.space: Any = None
        self.lost: list[Exception | None] = []

    def get_buffer(self, sizehint: int) -> Any:
        self.space = self.spaces.pop(0) if len(self.spaces) > 1 else self.spaces[0]
        return self.space

    def buffer_updated(self, nbytes: int) -> None:
        self.got += memoryview(self.space)[:nbytes]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


def reports(test: Callable[[], Any]) -> list[dict[str, Any]]:
    """Run a coroutine function, and return what came to the loop's exception handler."""
    found: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
        await test()

    run(main(), "virtual")
    return found


@in_virtual_time
async def test_what_came_is_delivered_while_the_protocol_reads_and_the_end_behind_it() -> None:
    log = Log(act=lambda: pipe.pause_reading())
    pipe = Pipe(log)
    pipe.come(b"a", b"b")
    assert log.told == [("data_received", b"ab")]
    assert not pipe.is_reading()
    pipe.come(b"c", end=True)
    pipe.resume_reading()
    pipe.resume_reading()
    assert log.told == [("data_received", b"ab")]       # in the loop's next turn
    log.act = lambda: None
    await settle()
    assert log.told == [("data_received", b"ab"), ("data_received", b"c"), "eof_received", ("connection_lost", None)]
    assert pipe.ends == ["close"]
    pipe.come(end=True)
    await settle()
    assert len(log.told) == 4


@pytest.mark.parametrize(("half", "keep", "ends"), [
    (True, True, []), (True, False, ["close"]), (False, True, ["close"]),
])
@in_virtual_time
async def test_the_other_direction_stays_open_where_there_is_one_and_the_protocol_wants_it(
    half: bool, keep: bool, ends: list[str]
) -> None:
    log = Log(keep_open=keep)
    pipe = Pipe(log, half=half)
    pipe.come(end=True)
    await settle()
    assert pipe.ends == ends
    assert log.told[0] == "eof_received"
    pipe.abort()
    await settle()


@in_virtual_time
async def test_a_buffer_is_filled_again_and_again_and_its_type_does_not_matter() -> None:
    import array

    protocol = Buffer(bytearray(3), memoryview(bytearray(2)), array.array("i", [0, 0]), bytearray(100))
    pipe = Pipe(protocol)
    pipe.come(b"0123456", b"789", b"abcdefghij")
    assert bytes(protocol.got) == b"0123456789abcdefghij"
    pipe.abort()
    await settle()


@pytest.mark.parametrize(("space", "text"), [
    (bytearray(), "get_buffer"), (b"read only", "get_buffer"), (None, "get_buffer"), (memoryview(b"x"), "get_buffer"),
])
def test_a_buffer_that_is_none_ends_the_connection(space: Any, text: str) -> None:
    protocol = Buffer(space)

    async def main() -> None:
        Pipe(protocol).come(b"x")
        await settle()

    (report,) = reports(main)
    assert text in report["message"]
    assert [type(error) for error in protocol.lost] == [type(report["exception"])]


@pytest.mark.parametrize("name", ["data_received", "eof_received"])
def test_what_a_protocol_raises_over_what_came_ends_the_connection(name: str) -> None:
    log = Log(name)

    async def main() -> None:
        pipe = Pipe(log)
        pipe.come(b"x", end=True)
        await settle()
        assert pipe.is_closing()

    (report,) = reports(main)
    assert isinstance(report["exception"], ZeroDivisionError)
    assert report["protocol"] is log
    assert log.told[-1] == ("connection_lost", report["exception"])


def test_what_a_protocol_raises_over_a_hint_ends_nothing() -> None:
    log = Log("pause_writing")

    async def main() -> None:
        pipe = Pipe(log)
        pipe.set_write_buffer_limits(10)
        pipe.write(bytes(11))
        assert not pipe.is_closing()
        pipe.take(11)
        assert log.told == ["pause_writing", "resume_writing"]
        pipe.abort()
        await settle()

    (report,) = reports(main)
    assert "pause_writing" in report["message"]


@in_virtual_time
async def test_a_writer_is_paused_above_the_high_mark_and_resumed_at_the_low_one() -> None:
    log = Log()
    pipe = Pipe(log)
    assert pipe.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    pipe.set_write_buffer_limits(high=100, low=40)
    assert pipe.get_write_buffer_limits() == (40, 100)
    pipe.write(bytes(100))
    assert log.told == []
    pipe.write(b"x")
    pipe.write(b"x")
    assert log.told == ["pause_writing"]
    pipe.take(61)
    assert log.told == ["pause_writing"]
    pipe.take(1)
    assert log.told == ["pause_writing", "resume_writing"]
    for wrong in ({"high": 10, "low": 11}, {"high": -1}):
        with pytest.raises(ValueError, match="high"):
            pipe.set_write_buffer_limits(**wrong)
    pipe.abort()
    await settle()


@in_virtual_time
async def test_what_can_be_written() -> None:
    pipe = Pipe(Log())
    pipe.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
    pipe.write(b"")
    assert pipe.sent == b"abc"
    for wrong in ("text", None, [1]):
        with pytest.raises(TypeError, match="bytes-like"):
            pipe.write(wrong)    # type: ignore[arg-type]
    pipe.write_eof()
    pipe.write_eof()
    assert pipe.ends == ["eof"]
    with pytest.raises(RuntimeError, match="write_eof"):
        pipe.write(b"x")
    pipe.close()
    await settle()


@in_virtual_time
async def test_writing_to_a_closed_connection_is_silent_at_first_and_then_told() -> None:
    pipe = Pipe(Log())
    pipe.close()
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())      # type: ignore[method-assign]
    logger = logging.getLogger("ygg.stream")
    logger.addHandler(handler)
    try:
        for _ in range(5):
            pipe.write(b"x")
        assert messages == []
        pipe.write(b"x")
        assert len(messages) == 1
        assert "closed connection" in messages[0]
    finally:
        logger.removeHandler(handler)
    assert pipe.sent == b""
    await settle()


@in_virtual_time
async def test_the_loss_is_told_once_and_in_the_loops_next_turn() -> None:
    log = Log()
    pipe = Pipe(log)
    pipe.abort()
    assert log.told == []
    pipe.abort()
    pipe.close()
    await settle()
    assert log.told == [("connection_lost", None)]
    pipe.come(b"late", end=True)
    pipe.resume_reading()
    await settle()
    assert len(log.told) == 1


@in_virtual_time
async def test_it_tells_what_it_is() -> None:
    first, second = Log(), Buffer(bytearray(10))
    pipe = Pipe(first)
    assert repr(pipe) == "<Pipe open here → there>"
    assert pipe.get_extra_info("peername") == "there"
    assert pipe.get_protocol() is first
    pipe.set_protocol(second)
    assert pipe.get_protocol() is second
    pipe.come(b"abc")
    assert second.got == b"abc"
    pipe.close()
    await settle()
    assert repr(pipe) == "<Pipe closed here → there>"


@in_virtual_time
async def test_one_that_is_forgotten_warns() -> None:
    kept = [Pipe(Log())]
    with pytest.warns(ResourceWarning, match="unclosed transport <Pipe open"):
        kept.clear()
