"""TLS over a connection of any kind, on any event loop.

asyncio's own TLS costs more than the encryption itself, uvloop's refuses transports it has not made. Here whole
batches are encrypted: all that one read has brought is decrypted into the protocol's buffer, and all of one write is
encrypted, before the next layer hears of either.

Theory of operation. The TLS object is a pump with two buffers of records: what has come and what is to be sent. During
the handshake each read is fed to it, and `_begin()` asks it to go on, until it says that the handshake is over; if that
fails, the alert that says why is sent before the carrier is closed.

Afterwards a read is fed to it and stays encrypted until the protocol takes it: `_PlainText` is the base's source, and
decrypts record by record into the protocol's own buffer. So `readable` is a guess, since a part of a record yields
nothing. Decrypting may itself produce records, answers to key updates (RFC 8446, 4.6.3), which `_deliver()` sends.

The stream ends with close_notify, with the carrier's end without one, which many programs send, or with a record that
cannot be decrypted, whose error ends the connection. A link leaves this stream after its handshake: `engine()` gives
the pump the TLS object and the socket below, and no Python runs for its records any more.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from ygg.errors import ConnectionReset, TLSError
from ygg.stream.layered import LayeredTransport
from ygg.stream.tls.object import TLSObject, engine_of, tls_object

if TYPE_CHECKING:
    from ygg.stream.tls.object import AnyContext
    from ygg_c.io.tls import Tls

RECORD = 16384
"""Bytes that a TLS record holds at most (RFC 8446, 5.1)."""


class TLSStream(LayeredTransport):
    """The plain text of a TLS connection over `carrier`.

    `close()` sends close_notify and does not wait for the other side's; `write_eof()` sends it too, and leaves reading
    open. An end without close_notify is an end like any other.
    """

    def __init__(
        self,
        carrier: asyncio.Transport,
        protocol: asyncio.BaseProtocol,
        context: AnyContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        self._plain = _PlainText(tls_object(context, server_side, server_hostname))
        self._tls = self._plain.tls
        super().__init__(carrier, protocol, self._plain)

    def engine(self) -> tuple[asyncio.Transport, Tls] | None:
        """Return what is left to do to the driver of the socket below: its transport, and the encryption.

        None where the encryption cannot be driven from there, or the stream is no longer whole.
        """
        tls = engine_of(self._tls)
        if tls is None or self._eof_written or self._ended or self._closing:
            return None
        return self._carrier, tls

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name in ("ssl_object", "sslcontext"):
            return getattr(self._tls, name)
        if name in ("peercert", "cipher", "compression") and self.opened.done():
            shown = self._tls.ssl_object
            return shown.getpeercert() if name == "peercert" else getattr(shown, name)()
        return super().get_extra_info(name, default)

    # Handshake

    def _begin(self) -> None:
        try:
            over = self._tls.handshake()
        except ssl.SSLError as error:
            self._flush()  # the alert that says why
            self._error = error
            self.close()
            return
        self._flush()
        if over:
            self._open()

    # Reading

    def _received(self, data: bytes | memoryview) -> None:
        self._tls.feed(data)
        self._plain.readable = self._tls.unread
        if not self.opened.done():
            self._begin()

    def _received_eof(self) -> None:
        self._ended = True
        if not self.opened.done():
            self._force_close(ConnectionReset("the other side hung up in the TLS handshake"))

    def _deliver(self) -> None:
        if not self.opened.done():
            return
        super()._deliver()
        if self._tls.unsent_size:
            self._answer(self._tls.take())

    def _deliver_eof(self) -> None:
        if self._plain.ended:
            self._ended = True
            if self._tls.failure is not None:
                self._error = _RecordError(self._tls.failure.reason or str(self._tls.failure))
        super()._deliver_eof()

    # Writing

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._tls.encrypt(data)
        except ssl.SSLError as error:
            self._force_close(tls_error(error))
        self._flush()

    def _send_eof(self) -> None:
        self._send_end()

    def get_write_buffer_size(self) -> int:
        return super().get_write_buffer_size() + self._tls.unsent_size

    def _send_end(self) -> None:
        self._tls.close_notify()
        self._flush()

    def _flush(self) -> None:
        if self._tls.unsent_size and not self._carrier.is_closing():
            self._carrier.write(self._tls.take())


class _PlainText:
    """What a connection brings, decrypted when it is read; a `ygg.stream.transport.Source`."""

    def __init__(self, tls: TLSObject) -> None:
        self.tls = tls
        self.ended = False
        self.readable = 0  # a guess: a part of a record is nothing yet

    def recv(self, limit: int) -> bytes:
        chunks, space = [], memoryview(bytearray(RECORD))
        while size := self._decrypt(space):
            chunks.append(bytes(space[:size]))
        return b"".join(chunks)

    def recv_into(self, space: memoryview) -> int:
        return self._decrypt(space)

    def _decrypt(self, space: memoryview) -> int:
        """Fill `space` as far as there is plain text, record by record; return the number of bytes."""
        size, ended = self.tls.read_into(space)
        self.ended = self.ended or ended
        self.readable = max(1, self.tls.unread) if size == len(space) else 0
        return size


class _RecordError(TLSError, ssl.SSLError):
    """What has come cannot be decrypted. Programs for asyncio expect an `ssl.SSLError`."""


def tls_error(error: ssl.SSLError) -> TLSError:
    """Return the ygg error for one of the `ssl` module."""
    return TLSError(error.reason or str(error))
