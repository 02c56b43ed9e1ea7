"""TLS on a connection that is already in use, on any loop."""

import asyncio
import ssl

from ygg.network.asyncio_private import plain_transport, tls_protocol


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

    Raises ssl.SSLError or ConnectionError when the handshake fails; the connection is closed then.
    """
    if not isinstance(sslcontext, ssl.SSLContext):
        raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    wrapped = tls_protocol(
        protocol,
        sslcontext,
        waiter,
        server_side=server_side,
        server_hostname=server_hostname,
        handshake_timeout=ssl_handshake_timeout,
        shutdown_timeout=ssl_shutdown_timeout,
        call_connection_made=False,
    )
    transport.pause_reading()
    transport.set_protocol(wrapped)
    steps = [loop.call_soon(wrapped.connection_made, transport), loop.call_soon(transport.resume_reading)]
    try:
        await waiter
    except BaseException:
        transport.close()
        for step in steps:
            step.cancel()
        raise
    return plain_transport(wrapped)
