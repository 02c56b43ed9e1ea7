"""Keeping a new connection still until its caller takes it over.

Theory of operation. A network returns a connection before it is known which protocol will read it: the transport above
has a handshake of its own to do, the node has one after that, and a listener's connections wait in a queue. asyncio
wants a protocol from the first moment, though, and delivers to it what comes. So each new connection gets a
`HoldingProtocol`, which pauses reading and keeps what arrives all the same, and each step calls `take_over()` with a
protocol of its own, or `set_protocol()` with another `HoldingProtocol` at its end. `take_over()` tells the new protocol
all that it has missed, in asyncio's order: `connection_made`, `pause_writing`, the bytes, the end, the loss.

Two transports that break rules have to be borne with. uvloop's raise when they are paused or resumed while they close.
Event loops' own forget their protocol once the connection is lost; what it held is lost too, and the new protocol hears
`connection_lost(None)`.
"""

import asyncio
from typing import cast


class HoldingProtocol(asyncio.Protocol):
    """The protocol of a connection that is not read yet.

    Reading is paused from the first moment; whatever arrives all the same (a transport may have bytes in hand, or may
    not be able to pause) is kept for `take_over()`, as are the end of the stream and the loss of the connection.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        """The connection, once made and until lost."""
        self.held = bytearray()
        """What has arrived."""
        self.eof = False
        """Whether the other side has ended its stream."""
        self.lost = False
        """Whether the connection is lost."""
        self.error: Exception | None = None
        """What it was lost by."""
        self.writing_paused = False
        """Whether the transport wants no more to be written for now."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if not self.transport.is_closing():     # uvloop's raise then
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.held += data
        if self.transport is not None and not self.transport.is_closing():
            # uvloop begins to read after connection_made, whatever was said there: what a stranger sends to a
            # connection that is held would be kept without bound.
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self.eof = True
        return True  # a half-closed connection is still worth handing over

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost, self.error, self.transport = True, exc, None

    def pause_writing(self) -> None:
        self.writing_paused = True

    def resume_writing(self) -> None:
        self.writing_paused = False


def take_over(transport: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
    """Give `transport` to `protocol`: `connection_made`, then all that was held back, then the live stream.

    `protocol` may pause reading or close the transport in any of those calls, as in any other.
    """
    held = transport.get_protocol()
    transport.set_protocol(protocol)
    if not transport.is_closing():
        # Before connection_made, so that a protocol that pauses there stays paused.
        transport.resume_reading()
    protocol.connection_made(transport)
    if held is None:    # event loops' transports forget their protocol when the connection is lost
        protocol.connection_lost(None)
    if not isinstance(held, HoldingProtocol):
        return
    if held.writing_paused:
        protocol.pause_writing()
    if held.held:
        feed(protocol, held.held)
    reader = cast(asyncio.Protocol, protocol)
    if held.eof and not reader.eof_received():
        transport.close()
    if held.lost:
        protocol.connection_lost(held.error)


def feed(protocol: asyncio.BaseProtocol, data: bytes | bytearray | memoryview) -> None:
    """Deliver `data` to a `Protocol` or a `BufferedProtocol`."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        cast(asyncio.Protocol, protocol).data_received(bytes(data))
        return
    view = memoryview(data)
    while view:
        room = memoryview(cast(bytearray, protocol.get_buffer(len(view)))).cast("B")
        if not room:
            raise RuntimeError("get_buffer() returned an empty buffer")
        count = min(len(room), len(view))
        room[:count] = view[:count]
        view = view[count:]
        protocol.buffer_updated(count)
