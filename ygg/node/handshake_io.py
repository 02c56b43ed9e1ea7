"""The handshake over an asyncio transport: what turns a fresh connection into one that can carry a link."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import cast

from ygg.errors import HandshakeTimeout, LinkError, RemoteClosed, from_os_error
from ygg.identity.keys import PrivateKey
from ygg.node import handshake
from ygg.stream.held import take_over
from ygg.url import LinkOptions


class HandshakeProtocol(asyncio.Protocol):
    """Sends our message, reads the other's, and then holds the transport still."""

    def __init__(self, decoder: handshake.Decoder, message: bytes) -> None:
        self._decoder = decoder
        self._message = message
        self._transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the other side's message is here, or with the error that came instead."""
        self.eof = False
        """Whether the other side has ended its stream since."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's derive from nothing
        # Nor do they let anything be done to them once they are closed, as by a reset while they were held.
        if not self._transport.is_closing():
            self._transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        try:
            done = self._decoder.feed(data)
        except LinkError as error:
            self._fail(error)
            return
        if done and not self.ready.done():
            assert self._transport is not None
            if not self._transport.is_closing():
                self._transport.pause_reading()
            self.ready.set_result(None)

    def eof_received(self) -> bool:
        self.eof = True
        self._fail(RemoteClosed())
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof, self._transport = True, None
        self._fail(from_os_error(exc) if isinstance(exc, OSError) else RemoteClosed())

    def _fail(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()  # a handshake given up earlier asks no more


async def shake_hands(
    transport: asyncio.Transport,
    key: PrivateKey,
    options: LinkOptions,
    allowed: Collection[bytes] | None,
) -> tuple[handshake.Meta, bytes, int]:
    """Shake hands over a connection held still, and leave it so.

    Returns what the other side said, the bytes already read beyond its message, and the length of the message. Raises a
    `HandshakeError` or another `LinkError`; closing the transport then is the caller's.
    """
    decoder = handshake.Decoder(options.password)
    protocol = HandshakeProtocol(decoder, handshake.encode(key, options.priority, options.password))
    try:
        async with asyncio.timeout(handshake.TIMEOUT) as deadline:
            take_over(transport, protocol)
            await protocol.ready
    except TimeoutError:
        if deadline.expired():
            raise HandshakeTimeout from None
        raise
    finally:
        del deadline  # it keeps the task, and a cancelled task keeps this frame
    meta = decoder.meta
    assert meta is not None
    handshake.check_version(meta)
    handshake.check_key(meta, key.public_key, options.keys, allowed)
    if transport.is_closing() or protocol.eof:
        raise RemoteClosed
    return meta, decoder.rest, decoder.size
