"""What passes through a network that is a wrapper: connections and datagram ports in front of others."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from ygg.network.holding import HoldingProtocol
from ygg.network.layer import LayeredTransport


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


class WrapperDatagrams(asyncio.DatagramTransport):
    """A datagram port in front of `base`. Everything passes as it is; override `incoming()` and `outgoing()`."""

    def __init__(self, base: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._base = base

    def incoming(self, data: bytes, addr: Any) -> bytes | None:
        """Called with each datagram that came, and from where; returns what is delivered instead, None for nothing."""
        return data

    def outgoing(self, data: bytes | bytearray | memoryview, addr: Any) -> bytes | bytearray | memoryview | None:
        """Called with each datagram that is sent, and where to; returns what is sent instead, None for nothing."""
        return data

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        if (passed := self.outgoing(data, addr)) is not None:
            self._base.sendto(passed, addr)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._base.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._base.is_closing()

    def close(self) -> None:
        self._base.close()

    def abort(self) -> None:
        self._base.abort()


class DatagramRelay(asyncio.DatagramProtocol):
    """Stands between a datagram port and its protocol; `passing(transport)` says what stands before the port."""

    def __init__(
        self,
        protocol: asyncio.DatagramProtocol,
        passing: Callable[[asyncio.DatagramTransport], WrapperDatagrams | None],
    ) -> None:
        self._protocol, self._passing = protocol, passing
        self._wrapper: WrapperDatagrams | None = None
        self.transport: asyncio.DatagramTransport | None = None
        """What the protocol was given; None where `passing` raised."""
        self.error: BaseException | None = None
        """What `passing` raised."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        base = cast(asyncio.DatagramTransport, transport)
        try:
            self._wrapper = self._passing(base)
        except Exception as error:
            self.error = error
            base.abort()
            return
        self.transport = self._wrapper or base
        self._protocol.connection_made(self.transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.transport is None:
            return
        passed = self._wrapper.incoming(data, addr) if self._wrapper else data
        if passed is not None:
            self._protocol.datagram_received(passed, addr)

    def error_received(self, exc: Exception) -> None:
        if self.transport is not None:
            self._protocol.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is not None:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
