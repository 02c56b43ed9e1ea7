"""TLS on a connection of any kind, new or already in use, on any event loop."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from ygg.errors import TLSTimeout
from ygg.stream.held import HoldingProtocol
from ygg.stream.tls.object import require_context
from ygg.stream.tls.stream import TLSStream

if TYPE_CHECKING:
    from ygg.stream.tls.object import AnyContext

HANDSHAKE_TIMEOUT = 60.0
"""Seconds, asyncio's own."""


async def start_tls(
    transport: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    sslcontext: AnyContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    ssl_handshake_timeout: float | None = None,
    ssl_shutdown_timeout: float | None = None,
) -> asyncio.Transport:
    """Upgrade a connection to TLS as `loop.start_tls` does, which uvloop refuses; return the transport to use now.

    Reading is resumed then, unless `protocol` is a `HoldingProtocol`, which has the plain text held still for
    `take_over()`. What a `HoldingProtocol` of `transport` has received belongs to the handshake. An empty
    `server_hostname` asks for no name. Raises ssl.SSLError, TLSTimeout (a ConnectTimeout, and to asyncio a
    ConnectionAbortedError) or another OSError when the handshake fails, UnicodeError for a name that cannot be one; the
    connection is closed then. Closing waits for no close_notify, so `ssl_shutdown_timeout` is never reached.
    """
    require_context(sslcontext)
    limit = HANDSHAKE_TIMEOUT if ssl_handshake_timeout is None else ssl_handshake_timeout
    _hold(transport, server_side)
    held = protocol if isinstance(protocol, HoldingProtocol) else HoldingProtocol()
    try:
        name = server_hostname or None  # "" says that there is none
        stream = TLSStream(transport, held, sslcontext, server_side=server_side, server_hostname=name)
        stream.start()
        async with asyncio.timeout(limit):
            await stream.opened
    except TimeoutError:
        transport.abort()
        text = f"SSL handshake is taking longer than {limit} seconds: aborting the connection"  # as asyncio says it
        raise TLSTimeout(text) from None
    except ssl.SSLError:
        raise  # the alert that says why is on its way
    except BaseException:
        transport.abort()
        raise
    held.connection_made(stream)
    if protocol is not held:
        stream.set_protocol(protocol)
        stream.resume_reading()
        if held.lost:  # with the last flight: once it has been returned, as by any transport
            asyncio.get_running_loop().call_soon(protocol.connection_lost, held.error)
    return stream


def _hold(transport: asyncio.Transport, server_side: bool) -> None:
    """Hold a connection still that is in use; the handshake takes it over.

    A server's client may have begun with it before it was asked to: that waits in the server's `StreamReader` then. Of
    what a client has read before, nothing is the handshake's.
    """
    held = transport.get_protocol()
    if held is not None and not isinstance(held, HoldingProtocol):  # None: the connection is lost, as take_over() finds
        holding = HoldingProtocol()
        transport.set_protocol(holding)
        holding.connection_made(transport)
        # As asyncio's own does in newer releases. There is no public name for it.
        unread = getattr(getattr(held, "_stream_reader", None), "_buffer", None)
        if server_side and isinstance(held, asyncio.StreamReaderProtocol) and unread:
            holding.held += unread
            unread.clear()
