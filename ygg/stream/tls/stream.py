"""TLS over a connection of any kind, on any event loop.

asyncio's own TLS costs more than the encryption itself, uvloop's refuses transports it has not made. Here whole
batches are encrypted: all that one read has brought is decrypted into the protocol's buffer, and all of one write is
encrypted, before the next layer hears of either.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, cast

from ygg.errors import ConnectionReset, TLSError, from_os_error
from ygg.stream.held import HoldingProtocol
from ygg.stream.layered import LayeredTransport
from ygg.stream.tls.object import TLSObject, engine_of, tls_object

if TYPE_CHECKING:
    from ygg.stream.tls.object import AnyContext
    from ygg_c.tls import Tls

RECORD = 16384
"""Bytes that a TLS record holds at most (RFC 8446, 5.1)."""


class TLSStream(LayeredTransport):
    """The plain text of a TLS connection over `carrier`.

    `close()` says goodbye (close_notify) and does not wait for the other side's; `write_eof()` says it too, and leaves
    reading open. An end without goodbye is an end like any other.
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
        super().__init__(carrier, protocol)
        self._tls: TLSObject = tls_object(context, server_side, server_hostname)
        self._eof_written = False

    def engine(self) -> tuple[asyncio.Transport, Tls] | None:
        """Return what is left to do to whoever drives the socket below: its transport, and the encryption.

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
            self._send()  # the alert that says why
            self._error = error
            self.close()
            return
        self._send()
        if over:
            self._open()

    # Reading

    def _received(self, data: bytes | memoryview) -> None:
        self._tls.feed(data)
        if not self.opened.done():
            self._begin()

    def _received_eof(self) -> None:
        self._ended = True
        if not self.opened.done():
            self._force_close(ConnectionReset("the other side hung up in the TLS handshake"))

    def _deliver(self) -> None:
        if not self.opened.done():
            return
        more = True
        while more and self.is_reading():
            protocol = self._protocol
            more = self._fill(protocol) if isinstance(protocol, asyncio.BufferedProtocol) else self._collect()
        if self._tls.unsent_size:
            self._answer(self._tls.take())

    def _fill(self, protocol: asyncio.BufferedProtocol) -> bool:
        """Decrypt into the protocol's buffer; tell whether there may be more."""
        space = memoryview(cast(bytearray, protocol.get_buffer(self._tls.unread))).cast("B")
        if not space:
            raise RuntimeError("get_buffer() returned an empty buffer")
        size = self._decrypt(space)
        if size:
            protocol.buffer_updated(size)
        return size == len(space)

    def _collect(self) -> bool:
        """Decrypt everything for a protocol without a buffer."""
        chunks, space = [], memoryview(bytearray(RECORD))
        while size := self._decrypt(space):
            chunks.append(bytes(space[:size]))
        if chunks:
            cast(asyncio.Protocol, self._protocol).data_received(b"".join(chunks))
        return False

    def _decrypt(self, space: memoryview) -> int:
        """Fill `space` as far as there is plain text, record by record; return the number of bytes."""
        size, ended = self._tls.read_into(space)
        if ended:
            self._ended = True
            if self._tls.failure is not None:
                self._error = tls_error(self._tls.failure)
        return size

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._closing:
            return
        try:
            self._tls.encrypt(data)
        except ssl.SSLError as error:
            self._force_close(tls_error(error))
        self._send()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._eof_written or self._closing:
            return
        self._eof_written = True
        self._farewell()

    def get_write_buffer_size(self) -> int:
        return super().get_write_buffer_size() + self._tls.unsent_size

    def _farewell(self) -> None:
        self._tls.goodbye()
        self._send()

    def _send(self) -> None:
        if self._tls.unsent_size and not self._carrier.is_closing():
            self._carrier.write(self._tls.take())


def tls_error(error: ssl.SSLError) -> TLSError:
    """Return the ygg error for one of the `ssl` module."""
    return TLSError(error.reason or str(error))


async def start_tls(
    transport: asyncio.Transport,
    context: AnyContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float,
) -> asyncio.Transport:
    """Run TLS over a held connection and return the held plain text of it.

    The handshake may take `handshake_timeout` seconds. Raises what ends it - `ssl.SSLError`, `ConnectTimeout`, another
    `OSError` - and leaves the connection aborted.
    """
    holding = HoldingProtocol()
    try:
        stream = TLSStream(transport, holding, context, server_side=server_side, server_hostname=server_hostname)
        stream.start()
        async with asyncio.timeout(handshake_timeout):
            await stream.opened
    except TimeoutError as error:
        transport.abort()
        raise from_os_error(error) from None
    except ssl.SSLError:
        raise  # the alert that says why is on its way
    except BaseException:
        transport.abort()
        raise
    holding.connection_made(stream)
    return stream
