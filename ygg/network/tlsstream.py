"""TLS over a connection of any kind, on any event loop.

asyncio's own TLS costs more than the encryption itself, uvloop's refuses transports it has not made. Here the `ssl`
module's object without IO works on batches: all that one read has brought is decrypted into the protocol's buffer, and
all of one write is encrypted, before the next layer hears of either.
"""

import asyncio
import ssl
from typing import Any, cast

from ygg.errors import ConnectionReset, TLSError, from_os_error
from ygg.network.holding import HoldingProtocol, feed
from ygg.network.layer import LayeredTransport

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
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        super().__init__(carrier, protocol)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self._kept = bytearray()
        self._eof_written = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "ssl_object":
            return self._tls
        if name == "sslcontext":
            return self._tls.context
        if name in ("peercert", "cipher", "compression") and self.opened.done():
            return self._tls.getpeercert() if name == "peercert" else getattr(self._tls, name)()
        return super().get_extra_info(name, default)

    # Handshake

    def _begin(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except ssl.SSLError as error:
            self._send()  # the alert that says why
            self._error = error
            self.close()
        else:
            self._send()
            self._open()

    # Reading

    def _received(self, data: bytes | memoryview) -> None:
        self._incoming.write(data)
        if not self.opened.done():
            self._begin()

    def _received_eof(self) -> None:
        self._ended = True
        if not self.opened.done():
            self._force_close(ConnectionReset("the other side hung up in the TLS handshake"))

    def _deliver(self) -> None:
        if not self.opened.done():
            return
        if self._kept and self.is_reading():
            kept, self._kept = self._kept, bytearray()
            feed(self._protocol, kept)
        more = True
        while more and self.is_reading():
            protocol = self._protocol
            more = self._fill(protocol) if isinstance(protocol, asyncio.BufferedProtocol) else self._collect()
        if self._outgoing.pending:
            self._answer(self._outgoing.read())

    def _fill(self, protocol: asyncio.BufferedProtocol) -> bool:
        """Decrypt into the protocol's buffer; tell whether there may be more."""
        space = memoryview(cast(bytearray, protocol.get_buffer(self._incoming.pending)))
        size = self._decrypt(space)
        if size:
            protocol.buffer_updated(size)
        return size == len(space)

    def _collect(self) -> bool:
        """Decrypt everything for a protocol without a buffer."""
        if data := self._plain_text():
            cast(asyncio.Protocol, self._protocol).data_received(data)
        return False

    def _plain_text(self) -> bytes:
        chunks, space = [], memoryview(bytearray(RECORD))
        while size := self._decrypt(space):
            chunks.append(bytes(space[:size]))
        return b"".join(chunks)

    def _decrypt(self, space: memoryview) -> int:
        """Fill `space` as far as there is plain text, record by record; return the number of bytes."""
        read: Any = self._tls.read
        room, done = len(space), 0
        try:
            while done < room:
                size = read(room - done, space[done:])
                if not size:
                    self._ended = True
                    break
                done += size
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._ended = True
        except ssl.SSLError as error:
            self._ended, self._error = True, tls_error(error)
        return done

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._closing:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            self._force_close(tls_error(error))
        self._send()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._eof_written or self._closing:
            return
        self._eof_written = True
        # Saying goodbye, the library looks for the other side's, and takes data before it for an error.
        self._kept += self._plain_text()
        self._farewell()

    def _farewell(self) -> None:
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it is said; what the other side says to it does not matter
        self._send()

    def _send(self) -> None:
        if self._outgoing.pending and not self._carrier.is_closing():
            self._carrier.write(self._outgoing.read())


def tls_error(error: ssl.SSLError) -> TLSError:
    """Return the ygg error for one of the `ssl` module."""
    return TLSError(error.reason or str(error))


async def start_tls(
    transport: asyncio.Transport,
    context: ssl.SSLContext,
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
