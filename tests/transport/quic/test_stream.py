"""ygg.transport.quic.stream: the first stream of a connection, and what it asks of that."""

import asyncio
import gc
import warnings
from typing import Any

import pytest

from tests.aio import in_virtual_time, settle
from ygg.errors import ConnectionReset
from ygg.transport.quic.stream import HIGH_WATER, QuicStream


class Connection:
    """A connection of which the test says what was sent and confirmed."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes, bool]] = []
        self.pending = self.unconfirmed = 0
        self.ended: list[BaseException | None] = []
        self.lingers = 0
        self.stream: QuicStream | None = None
        self.refuses = False

    def send(self, stream_id: int, data: bytes, *, end: bool = False) -> None:
        self.sent.append((stream_id, data, end))
        self.pending += len(data)
        self.unconfirmed += len(data)
        if self.refuses:
            self.end(ConnectionReset("reads no more"))

    def unacknowledged(self, stream_id: int) -> int:
        return self.unconfirmed

    def unsent(self, stream_id: int) -> int:
        return self.pending

    def end_later(self) -> None:
        self.lingers += 1

    def end(self, error: BaseException | None) -> None:
        self.ended.append(error)
        if self.stream is not None:
            self.stream.connection_ended(error)


class Log(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self, keep_open: bool = False) -> None:
        self.told: list[Any] = []
        self.keep_open = keep_open

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(("lost", exc))


def made(log: Log) -> tuple[QuicStream, Connection]:
    connection = Connection()
    connection.stream = QuicStream(connection, 4, log, ("::1", 1), ("::2", 2))
    return connection.stream, connection


@in_virtual_time
async def test_what_comes_is_delivered_and_what_waits_is_told() -> None:
    log = Log(keep_open=True)
    stream, _ = made(log)
    assert stream.get_extra_info("peername") == ("::2", 2)
    stream.received(b"a", False)
    stream.pause_reading()
    stream.received(b"bcd", True)
    assert (stream.unread, log.told) == (3, [b"a"])
    stream.resume_reading()
    await settle()
    assert log.told == [b"a", b"bcd", "eof"]
    assert stream.can_write_eof()
    stream.abort()
    await settle()


@in_virtual_time
async def test_a_writer_waits_for_what_has_not_been_sent() -> None:
    log = Log()
    stream, connection = made(log)
    stream.write(bytes(HIGH_WATER))
    assert log.told == []
    stream.write(b"x")
    assert log.told == ["pause"]
    assert stream.get_write_buffer_size() == HIGH_WATER + 1
    connection.pending = HIGH_WATER // 4
    stream.relieve()
    assert log.told == ["pause", "resume"]      # though nothing is confirmed
    stream.abort()
    await settle()


@in_virtual_time
async def test_a_close_waits_until_all_is_confirmed() -> None:
    log = Log()
    stream, connection = made(log)
    stream.write(b"last")
    stream.close()
    stream.close()
    await settle()
    assert connection.sent == [(4, b"last", False), (4, b"", True)]
    assert (connection.lingers, connection.ended, log.told) == (1, [], [])
    stream.write(b"late")
    assert len(connection.sent) == 2
    connection.unconfirmed = 0
    stream.relieve()
    await settle()
    assert connection.ended == [None]
    assert log.told == [("lost", None)]


@in_virtual_time
async def test_an_end_that_was_written_is_not_written_again() -> None:
    stream, connection = made(Log())
    stream.write_eof()
    stream.close()
    await settle()
    assert [end for _, _, end in connection.sent] == [True]
    assert connection.ended == [None]           # nothing was unconfirmed


@in_virtual_time
async def test_an_abort_ends_the_connection_at_once() -> None:
    log = Log()
    stream, connection = made(log)
    stream.write(b"x")
    stream.abort()
    await settle()
    assert connection.ended == [None]
    assert log.told == [("lost", None)]
    assert stream.get_write_buffer_size() == 0
    stream.write(b"late")
    stream.relieve()
    assert len(connection.sent) == 1


@in_virtual_time
async def test_what_came_before_an_end_in_good_order_can_be_read_after_it() -> None:
    log = Log(keep_open=True)
    stream, connection = made(log)
    stream.pause_reading()
    stream.received(b"last words", False)
    connection.end(None)
    await settle()
    assert log.told == []
    assert not stream.can_write_eof()
    stream.resume_reading()
    await settle()
    assert log.told == [b"last words", "eof", ("lost", None)]


@pytest.mark.parametrize("error", [ConnectionReset("gone"), None])
@in_virtual_time
async def test_an_end_with_an_error_or_with_nothing_to_read_is_told_at_once(error: Exception | None) -> None:
    log = Log()
    stream, connection = made(log)
    stream.pause_reading()
    if error is not None:
        stream.received(b"of no use", False)
    connection.end(error)
    connection.end(error)
    await settle()
    assert log.told == [("lost", error)]
    stream.close()
    stream.abort()
    await settle()
    assert len(log.told) == 1


@pytest.mark.parametrize("last", ["write", "write_eof", "close"])
@in_virtual_time
async def test_a_connection_may_end_over_what_is_written(last: str) -> None:
    log = Log()
    stream, connection = made(log)
    connection.refuses = True
    getattr(stream, last)(*[b"x"] * (last == "write"))
    stream.close()
    await settle()
    assert [type(told[1]) for told in log.told] == [ConnectionReset]


@in_virtual_time
async def test_one_that_is_forgotten_warns_unless_its_connection_has_ended() -> None:
    stream, connection = made(Log())
    connection.stream = None
    kept = [stream]
    del stream
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        kept.clear()
    stream, connection = made(Log())
    stream.pause_reading()
    stream.received(b"unread", False)
    connection.end(None)
    connection.stream = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del stream
        gc.collect()
    await settle()
