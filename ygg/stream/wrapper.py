"""A byte stream in front of another: what passes can be seen, changed and slowed down."""

import asyncio
from typing import cast

from ygg.stream.held import HoldingProtocol
from ygg.stream.layered import LayeredTransport


class WrapperTransport(LayeredTransport):
    """A connection in front of `base`, a connection held still; held still itself until somebody takes it over.

    Everything passes as it is. Override `incoming()` and `outgoing()` to see or change what does, and call `hold()` to
    slow down what comes.
    """

    def __init__(self, base: asyncio.Transport) -> None:
        holding = HoldingProtocol()
        super().__init__(base, holding)
        self._arrived, self._passed = bytearray(), bytearray()
        self._hold_timer: asyncio.TimerHandle | None = None
        self.start()
        holding.connection_made(self)

    def incoming(self, data: bytes) -> bytes:
        """Called with bytes that came, when they are delivered; returns what is delivered in their place."""
        return data

    def outgoing(self, data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """Called with bytes that are written; returns what is written in their place."""
        return data

    def hold(self, seconds: float) -> None:
        """Deliver nothing for so long beyond what is being delivered now; the other side is held back as well."""
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        self._hold_timer = self._loop.call_later(seconds, self._let_go)
        self._hold()

    def _let_go(self) -> None:
        self._hold_timer = None
        if self._reading:
            self._reading = False
            self.resume_reading()

    # Reading

    def is_reading(self) -> bool:
        return super().is_reading() and self._hold_timer is None

    def resume_reading(self) -> None:
        if self._hold_timer is None:
            super().resume_reading()
        elif not self._closing:
            self._reading = True  # from when the hold is over

    def _begin(self) -> None:
        self._open()

    def _received(self, data: bytes | memoryview) -> None:
        self._arrived += data

    def _received_eof(self) -> None:
        self._ended = True

    def _deliver(self) -> None:
        if self._arrived and self.is_reading():
            arrived, self._arrived = bytes(self._arrived), bytearray()
            self._passed += self.incoming(arrived)
        while self._passed and super().is_reading():
            self._deliver_some(self._protocol)

    def _deliver_some(self, protocol: asyncio.BaseProtocol) -> None:
        if not isinstance(protocol, asyncio.BufferedProtocol):
            data, self._passed = bytes(self._passed), bytearray()
            cast(asyncio.Protocol, protocol).data_received(data)
            return
        room = memoryview(cast(bytearray, protocol.get_buffer(len(self._passed)))).cast("B")
        if not room:
            raise RuntimeError("get_buffer() returned an empty buffer")
        count = min(len(room), len(self._passed))
        room[:count] = self._passed[:count]
        del self._passed[:count]
        protocol.buffer_updated(count)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self._closing and (passed := self.outgoing(data)):
            self._carrier.write(passed)

    def can_write_eof(self) -> bool:
        return self._carrier.can_write_eof()

    def write_eof(self) -> None:
        self._carrier.write_eof()

    # The end

    def _farewell(self) -> None:
        pass

    def _lose(self, error: BaseException | None) -> None:
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
        super()._lose(error)
