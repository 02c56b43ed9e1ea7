"""A byte stream out of the binary messages of a WebSocket (RFC 6455; protocol 0.5, WebSocket).

The `websockets` package's protocol without IO does the framing; what is here makes an asyncio transport of it, on top
of a transport of any kind.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from ygg.errors import ConnectionReset, MissingExtraError, forget_frames
from ygg.stream.inbox import Inbox
from ygg.stream.layered import LayeredTransport

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.protocol import Protocol as WebSocket

SUBPROTOCOL = "ygg-ws"
"""The subprotocol both sides must speak."""
MAX_FRAME = 4 * 1024 * 1024
"""Bytes of one frame accepted; messages may have any number of them."""
OPEN = 1
"""The state of that name in `websockets.protocol.State`; those after it are closing and closed."""

NORMAL, GOING_AWAY, UNSUPPORTED_DATA, NO_STATUS, POLICY_VIOLATION = 1000, 1001, 1003, 1005, 1008
"""Close codes (RFC 6455, section 7.4.1)."""


def require_websockets() -> None:
    """Raise `MissingExtraError` when the `websockets` package is not installed."""
    try:
        import websockets.protocol  # noqa: F401
    except ImportError:
        raise MissingExtraError("ws:// and wss:// need the 'ws' extra: pip install ygg[ws]") from None


class WebSocketTransport(LayeredTransport):
    """The plain stream of a WebSocket over `carrier`, a held connection.

    Reading is paused until resumed. There is no half-close: the end of the stream closes it. `opened` is done when the
    other side's part of the opening handshake has come, which is `handshake` then.
    """

    def __init__(self, carrier: asyncio.Transport, websocket: WebSocket, protocol: asyncio.BaseProtocol) -> None:
        self._websocket, self._inbox = websocket, Inbox()
        self._ping_timer: asyncio.TimerHandle | None = None
        super().__init__(carrier, protocol, self._inbox)
        self.handshake: Request | Response | None = None
        """The other side's part of the opening handshake."""

    def _begin(self) -> None:
        """Do nothing: the client's request is sent with `flush()`."""

    # Reading

    def _received(self, data: bytes | memoryview) -> None:
        self._websocket.receive_data(cast(bytes, data))  # it appends them to a bytearray
        self._process()

    def _received_eof(self) -> None:
        self._websocket.receive_eof()
        self._process()
        self._end()

    def _process(self) -> None:
        from websockets.frames import Frame, Opcode

        for event in self._websocket.events_received():
            if not isinstance(event, Frame):
                self.handshake = event
                self._open()
            elif event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._inbox.append(bytes(event.data))
            elif event.opcode == Opcode.TEXT:
                self._websocket.fail(UNSUPPORTED_DATA, "binary messages only")
                self._error = ConnectionReset("WebSocket peer sent text")
        if self._websocket.handshake_exc is not None:
            self._fail_handshake(self._websocket.handshake_exc)
        if self._websocket.state > OPEN:
            self._end()
            return  # the closing frame goes when all has been read: it may find the other side gone, which ends both
        for data in self._websocket.data_to_send():
            self._answer(data)

    def _end(self) -> None:
        """Note the end of the stream, and what is wrong with it; it is told when what came before it has been read."""
        self._ended = True
        broken = self._websocket.parser_exc
        if broken is not None and not isinstance(broken, EOFError):
            self._error = self._error or ConnectionReset(f"WebSocket peer broke the protocol: {broken}")
        frame = self._websocket.close_rcvd
        code = frame.code if frame is not None else self._websocket.close_code  # which is None until all is over
        if code not in (None, NORMAL, GOING_AWAY, NO_STATUS) and self._error is None:
            self._error = ConnectionReset(f"WebSocket closed with code {code}")

    def _finish_reading(self) -> None:
        if self._error is None:
            super()._finish_reading()
        else:
            self.close()  # not aborted: a frame that says why is on its way

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        if self._websocket.state == OPEN:
            data = bytes(data)
            for start in range(0, len(data), MAX_FRAME):  # the other side may accept no more of one frame than we do
                self._websocket.send_binary(data[start : start + MAX_FRAME])
            self.flush()

    def can_write_eof(self) -> bool:
        return False

    def write_eof(self) -> None:
        raise NotImplementedError("a WebSocket has no half-close")

    def _send_eof(self) -> None:
        self.write_eof()

    def flush(self) -> None:
        """Send what the protocol has to send."""
        for data in self._websocket.data_to_send():
            if data and not self._carrier.is_closing():
                self._carrier.write(data)

    @property
    def pings(self) -> bool:
        """Whether it sends pings."""
        return self._ping_timer is not None

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

    # The end

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        self._stop_pings()
        self._close_frame = (code, reason)
        super().close()

    def _send_end(self) -> None:
        if self._websocket.state == OPEN:
            self._websocket.send_close(*self._close_frame)
        self.flush()

    def _force_close(self, error: BaseException | None) -> None:
        self._stop_pings()
        super()._force_close(error)

    def _carrier_lost(self, error: BaseException | None) -> None:
        self._stop_pings()
        if error is None and self._websocket.handshake_exc is not None:
            self._fail_handshake(self._websocket.handshake_exc)
        # They have passed frames of the protocol that keeps them.
        for broken in (self._websocket.handshake_exc, self._websocket.parser_exc):
            forget_frames(broken)
        super()._carrier_lost(error)
