"""A byte stream in front of another: what passes can be seen, changed and slowed down."""

import asyncio

from ygg.stream.held import HoldingProtocol
from ygg.stream.inbox import Inbox
from ygg.stream.layered import LayeredTransport


class WrapperTransport(LayeredTransport):
    """A connection in front of `base`, a connection held still; held still itself until it is taken over.

    Everything passes as it is. Override `incoming()` and `outgoing()` to see or change what does, and call `hold()` to
    slow down what comes.
    """

    def __init__(self, base: asyncio.Transport) -> None:
        holding = HoldingProtocol()
        self._arrived, self._passed = bytearray(), Inbox()
        self._hold_timer: asyncio.TimerHandle | None = None
        super().__init__(base, holding, self._passed)
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
        self._pause_carrier()

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

    def _at_eof(self) -> bool:
        return super()._at_eof() and not self._arrived

    def _deliver(self) -> None:
        if self._arrived and self.is_reading():
            arrived, self._arrived = bytes(self._arrived), bytearray()
            try:
                self._passed.append(bytes(self.incoming(arrived)))
            except Exception as error:
                self._fatal(error, "Fatal error: incoming() failed.")
        super()._deliver()

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        if passed := self.outgoing(data):
            self._carrier.write(passed)

    def can_write_eof(self) -> bool:
        return self._carrier.can_write_eof()

    def _send_eof(self) -> None:
        self._carrier.write_eof()

    # The end

    def _send_end(self) -> None:
        pass

    def _carrier_lost(self, error: BaseException | None) -> None:
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
        super()._carrier_lost(error)
