"""A byte stream out of the binary messages of a WebSocket (RFC 6455; protocol 0.5, WebSocket).

The `websockets` package's protocol without IO does the framing; what is here makes an asyncio transport of it, on top
of a transport of any kind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from ygg.errors import ConnectionReset, MissingExtraError, forget_frames
from ygg.stream.held import feed, take_over

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.protocol import Protocol as WebSocket

SUBPROTOCOL = "ygg-ws"
"""The subprotocol both sides must speak."""
MAX_FRAME = 4 * 1024 * 1024
"""Bytes of one frame accepted; messages may have any number of them."""
MOST_UNREAD = 4 * 1024 * 1024
"""Bytes that may wait for a peer whose pings we answer: who asks without reading the answers is not listening."""

OPEN = 1
"""The state of that name in `websockets.protocol.State`; those after it are closing and closed."""

NORMAL, GOING_AWAY, UNSUPPORTED_DATA, POLICY_VIOLATION = 1000, 1001, 1003, 1008
"""Close codes (RFC 6455, section 7.4.1)."""


def require_websockets() -> None:
    """Raise `MissingExtraError` when the `websockets` package is not installed."""
    try:
        import websockets.protocol  # noqa: F401
    except ImportError:
        raise MissingExtraError("ws:// and wss:// need the 'ws' extra: pip install ygg[ws]") from None


class WebSocketTransport(asyncio.Transport):
    """The plain stream of a WebSocket over `carrier`, a held connection it takes over.

    Reading is paused until resumed. There is no half-close: the end of the stream closes it.
    """

    def __init__(self, carrier: asyncio.Transport, websocket: WebSocket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._carrier, self._websocket, self._protocol = carrier, websocket, protocol
        self._inbox: deque[bytes] = deque()
        self._reading = False
        self._closing = False
        self._ended = False
        self._error: Exception | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self.handshake: asyncio.Future[Request | Response] = self._loop.create_future()
        """The other side's part of the opening handshake."""
        take_over(carrier, _Wire(self))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._carrier.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False
        if not self._carrier.is_closing():
            self._carrier.pause_reading()

    def resume_reading(self) -> None:
        self._reading = True
        if not self._carrier.is_closing():
            self._carrier.resume_reading()
        self._loop.call_soon(self._deliver)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self._closing:
            self._websocket.send_binary(bytes(data))
            self.flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self._carrier.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._carrier.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._carrier.set_write_buffer_limits(high, low)

    def is_closing(self) -> bool:
        return self._closing or self._carrier.is_closing()

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        if self._closing:
            return
        self._closing = True
        self._stop_pings()
        if self._websocket.state == OPEN and not self._carrier.is_closing():
            self._websocket.send_close(code, reason)
            self.flush()
        self._carrier.close()

    def abort(self) -> None:
        self._closing = True
        self._stop_pings()
        self._carrier.abort()

    def _force_close(self, error: Exception | None) -> None:
        self._error = self._error or error
        self.abort()

    def ping_every(self, seconds: float) -> None:
        """Send a ping at this interval from now on, whatever else is sent; with 0 none."""
        self._ping_timer = self._loop.call_later(seconds, self._ping, seconds) if seconds else None

    def _ping(self, seconds: float) -> None:
        if self.is_closing() or self._websocket.state != OPEN:
            return
        if not self._carrier.get_write_buffer_size():  # else there is more on its way than one could tell
            self._websocket.send_ping(b"")
            self.flush()
        self.ping_every(seconds)

    def _stop_pings(self) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
            self._ping_timer = None

    def flush(self) -> bool:
        """Send what the protocol has to send; tell whether there was anything."""
        pieces = [data for data in self._websocket.data_to_send() if data]
        for data in pieces:
            if not self._carrier.is_closing():
                self._carrier.write(data)
        return bool(pieces)

    def received(self, data: bytes) -> None:
        """Take bytes of the carrier."""
        self._websocket.receive_data(data)
        self._process()

    def received_eof(self) -> None:
        """Take the end of the carrier's stream."""
        self._websocket.receive_eof()
        self._process()
        self._end()

    def lost(self, error: Exception | None) -> None:
        """Take the loss of the carrier."""
        # After a close of our own the carrier may complain about the answer to it: nobody is to hear of that.
        error = self._error if self._closing else self._error or error
        self._closing = True
        self._stop_pings()
        self._fail_handshake(error or self._websocket.handshake_exc or ConnectionReset())
        # They have passed frames of the protocol that keeps them.
        for broken in (self._websocket.handshake_exc, self._websocket.parser_exc):
            forget_frames(broken)
        self._protocol.connection_lost(error)

    def _process(self) -> None:
        from websockets.frames import Frame, Opcode

        for event in self._websocket.events_received():
            if not isinstance(event, Frame):
                self._opened(event)
            elif event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._inbox.append(bytes(event.data))
            elif event.opcode == Opcode.TEXT:
                self._websocket.fail(UNSUPPORTED_DATA, "binary messages only")
                self._error = ConnectionReset("WebSocket peer sent text")
        if self._websocket.handshake_exc is not None:
            self._fail_handshake(self._websocket.handshake_exc)
        if self.flush() and self._carrier.get_write_buffer_size() > MOST_UNREAD:
            self._force_close(ConnectionReset("WebSocket peer does not read"))
        self._deliver()
        if self._websocket.state > OPEN:
            self._end()

    def _fail_handshake(self, error: Exception) -> None:
        if not self.handshake.done():
            self.handshake.set_exception(error)
            self.handshake.exception()  # whoever waited may have given up

    def _opened(self, event: Request | Response) -> None:
        if not self.handshake.done():
            self.handshake.set_result(event)
        # What follows is the protocol's, which may not be reading yet: it is not to pile up here.
        if not self._reading:
            self.pause_reading()

    def _deliver(self) -> None:
        while self._inbox and self.is_reading():
            feed(self._protocol, self._inbox.popleft())
        if self._ended and not self._inbox and not self._closing:
            self._finish()

    def _end(self) -> None:
        """See the stream off once what arrived before its end has been read."""
        self._ended = True
        broken = self._websocket.parser_exc
        if broken is not None and not isinstance(broken, EOFError):
            self._error = self._error or ConnectionReset(f"WebSocket peer broke the protocol: {broken}")
        code = self._websocket.close_code if self._websocket.state > OPEN else None
        if code not in (None, NORMAL, GOING_AWAY) and self._error is None:
            self._error = ConnectionReset(f"WebSocket closed with code {code}")
        self._deliver()

    def _finish(self) -> None:
        if self._error is None:
            cast(asyncio.Protocol, self._protocol).eof_received()
        self.close()


class _Wire(asyncio.Protocol):
    """What the carrier talks to."""

    def __init__(self, stream: WebSocketTransport) -> None:
        self._stream = stream

    def data_received(self, data: bytes) -> None:
        self._stream.received(data)

    def eof_received(self) -> None:
        self._stream.received_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stream.lost(exc)

    def pause_writing(self) -> None:
        self._stream.get_protocol().pause_writing()

    def resume_writing(self) -> None:
        self._stream.get_protocol().resume_writing()
