"""ygg.stream.layered: a stream inside another one, on the smallest layer there can be.

The layer's handshake is a line each way; what follows it passes as it is. A line "?" asks, and is answered by "!".
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, settle, until
from ygg.errors import ConnectionReset
from ygg.network import HoldingProtocol, LoopbackNetwork, take_over
from ygg.stream import layered
from ygg.stream.inbox import Inbox
from ygg.stream.layered import LayeredTransport


class Lines(LayeredTransport):
    """The layer."""

    def __init__(self, carrier: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
        self.inbox, self.rest = Inbox(), b""
        super().__init__(carrier, protocol, self.inbox)

    def _begin(self) -> None:
        self._carrier.write(b"hello\n")

    def _received(self, data: bytes | memoryview) -> None:
        *lines, self.rest = (self.rest + bytes(data)).split(b"\n")
        for line in lines:
            if line == b"hello":
                self._open()
            elif line == b"bye":
                self._ended = True
            elif line == b"?":
                self._answer(b"!" * 100 + b"\n")
            else:
                self.inbox.append(line)

    def _received_eof(self) -> None:
        self._error = None if self._ended else ConnectionReset("no bye")
        self._ended = True

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        self._carrier.write(bytes(data) + b"\n")

    def can_write_eof(self) -> bool:
        return False

    def _send_eof(self) -> None:
        raise NotImplementedError

    def _send_end(self) -> None:
        self._carrier.write(b"bye\n")


class Log(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.told: list[str] = []
        self.lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.got.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return False

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


@asynccontextmanager
async def over() -> AsyncIterator[tuple[Lines, Any]]:
    """Give a layer that has begun, held, and the carrier's far end."""
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        far, _ = await listener.accept()
        holding = HoldingProtocol()
        layer = Lines(near, holding)
        holding.connection_made(layer)
        layer.start()
        take_over(far, Log())
        yield layer, far
        layer.abort()
        far.abort()
        await settle()


@on_loops
async def test_the_handshake_goes_on_though_nothing_is_read_and_then_the_carrier_is_paused() -> None:
    async with over() as (layer, far):
        await settle()
        assert far.get_protocol().got == [b"hello\n"]
        assert not layer.is_reading()
        far.write(b"hell")
        await settle()
        assert not layer.opened.done()
        far.write(b"o\nfirst\n")
        await layer.opened
        far.write(b"second\n")
        await settle()
        assert layer.inbox.readable == len(b"first")        # no more than the read that ended the handshake
        log = Log()
        take_over(layer, log)
        await until(lambda: b"".join(log.got) == b"firstsecond")
        layer.pause_reading()
        far.write(b"third\n")
        await settle()
        assert layer.inbox.readable == 0                    # it waits in the carrier, whose sender is held back
        assert far.get_write_buffer_size() == len(b"third\n")
        layer.resume_reading()
        await until(lambda: b"".join(log.got) == b"firstsecondthird")


@on_loops
async def test_the_write_buffer_and_its_limits_are_the_carriers() -> None:
    async with over() as (layer, far):
        far.write(b"hello\n")
        await layer.opened
        log = Log()
        take_over(layer, log)
        far.pause_reading()
        layer.set_write_buffer_limits(high=50, low=10)
        assert layer.get_write_buffer_limits() == (10, 50)
        layer.write(bytes(60))
        assert log.told == ["pause"]
        assert layer.get_write_buffer_size() == 61
        far.resume_reading()
        await until(lambda: log.told == ["pause", "resume"])
        assert layer.get_extra_info("peername") == far.get_extra_info("sockname")
        assert "over <MemoryTransport" in repr(layer)


@on_loops
async def test_a_close_sends_the_layers_own_end_once() -> None:
    async with over() as (layer, far):
        far.write(b"hello\n")
        await layer.opened
        log = Log()
        take_over(layer, log)
        layer.close()
        layer.close()
        assert layer.is_closing()
        await until(lambda: log.lost)
        await settle()
        assert log.lost == [None]
        assert b"".join(far.get_protocol().got) == b"hello\nbye\n"


@on_loops
async def test_an_end_that_was_announced_is_one_and_one_that_was_not_is_an_error() -> None:
    for last, lost in ((b"bye\n", [None]), (b"", [ConnectionReset])):
        async with over() as (layer, far):
            far.write(b"hello\nlast\n" + last)
            log = Log()
            await layer.opened
            far.write_eof()
            take_over(layer, log)
            await until(lambda log=log: log.lost)
            assert log.got == [b"last"]
            assert [error and type(error) for error in log.lost] == lost


@on_loops
async def test_a_carrier_that_is_lost_before_the_handshake_is_over_fails_it() -> None:
    async with over() as (layer, far):
        far.abort()
        with pytest.raises(ConnectionReset):
            await layer.opened
        assert layer.is_closing()
        layer.close()
        layer.resume_reading()
        layer.pause_reading()


@on_loops
async def test_an_abort_sends_nothing_more() -> None:
    async with over() as (layer, far):
        far.write(b"hello\n")
        await layer.opened
        log = Log()
        take_over(layer, log)
        layer.abort()
        layer.abort()
        await until(lambda: log.lost)
        await settle()
        assert log.lost == [None]
        assert b"bye" not in b"".join(far.get_protocol().got)


@on_loops
async def test_answers_to_a_side_that_reads_none_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layered, "MOST_ANSWERS", 1000)
    async with over() as (layer, far):
        far.write(b"hello\n")
        await layer.opened
        log = Log()
        take_over(layer, log)
        far.pause_reading()
        layer.set_write_buffer_limits(high=50, low=10)
        for _ in range(9):                  # the first finds room
            far.write(b"?\n")
            await settle()
        assert not layer.is_closing()
        far.resume_reading()                # it has read them: the count begins anew
        await until(lambda: log.told == ["pause", "resume"])
        far.pause_reading()
        for _ in range(12):
            far.write(b"?\n")
            await settle()
        assert layer.is_closing()
        await until(lambda: log.lost)
        assert isinstance(log.lost[0], ConnectionReset)
