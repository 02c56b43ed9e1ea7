"""TLS on a connection that is already in use, on any loop."""

import asyncio
import ssl

from ygg.stream.held import HoldingProtocol
from ygg.stream.tls import stream as tlsstream

HANDSHAKE_TIMEOUT = 60.0
"""Seconds, asyncio's own."""


async def start_tls(
    transport: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    sslcontext: ssl.SSLContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    ssl_handshake_timeout: float | None = None,
    ssl_shutdown_timeout: float | None = None,
) -> asyncio.Transport:
    """Upgrade a connection to TLS as `loop.start_tls` does, which uvloop refuses; return the transport to use now.

    Raises ssl.SSLError, TimeoutError or ConnectionError when the handshake fails; the connection is closed then.
    Closing waits for no goodbye of the other side's, so `ssl_shutdown_timeout` is never reached.
    """
    if not isinstance(sslcontext, ssl.SSLContext):
        raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
    holding = HoldingProtocol()
    transport.set_protocol(holding)
    holding.connection_made(transport)
    secured = await tlsstream.start_tls(
        transport,
        sslcontext,
        server_side=server_side,
        server_hostname=server_hostname,
        handshake_timeout=HANDSHAKE_TIMEOUT if ssl_handshake_timeout is None else ssl_handshake_timeout,
    )
    secured.set_protocol(protocol)
    secured.resume_reading()
    return secured
