"""TLS over any asyncio transport, on any loop. The only file that touches asyncio's private TLS names.

`loop.start_tls` of uvloop accepts no foreign transport, and asyncio has no public way to put TLS under a new
protocol; both go through `asyncio.sslproto.SSLProtocol` here.
"""

import asyncio
import ssl
from asyncio import sslproto
from typing import Any


class Upgradable:
    """A transport that asyncio's TLS accepts underneath itself: what `loop.start_tls` and SSLProtocol look for."""

    _start_tls_compatible = True

    def fail(self, error: BaseException | None) -> None:
        """Drop the connection at once; `connection_lost(error)` follows."""
        raise NotImplementedError

    def _force_close(self, exc: BaseException | None) -> None:
        self.fail(exc)


def wrap(
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    *,
    server_side: bool,
    server_hostname: str | None = None,
    waiter: asyncio.Future[None] | None = None,
    ssl_handshake_timeout: float | None = None,
    ssl_shutdown_timeout: float | None = None,
    call_connection_made: bool = True,
) -> asyncio.BufferedProtocol:
    """Return a protocol for the carrier connection that speaks TLS and shows `protocol` what is inside.

    Timeouts are in seconds, None for asyncio's own. `waiter` is told how the handshake ended.
    """
    return sslproto.SSLProtocol(
        asyncio.get_running_loop(),
        protocol,
        context,
        waiter,  # type: ignore[arg-type]
        server_side,
        server_hostname,
        call_connection_made=call_connection_made,
        ssl_handshake_timeout=ssl_handshake_timeout,  # type: ignore[arg-type]
        ssl_shutdown_timeout=ssl_shutdown_timeout,
    )


def inner_transport(wrapped: asyncio.BufferedProtocol) -> asyncio.Transport:
    """Return the transport that the protocol inside TLS writes to."""
    assert isinstance(wrapped, sslproto.SSLProtocol)
    transport: Any = wrapped._app_transport
    assert isinstance(transport, asyncio.Transport)
    return transport


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
    """Upgrade a connection to TLS, as `loop.start_tls` does, on any loop; return the transport to use from now on.

    Raises ssl.SSLError or ConnectionError when the handshake fails; the connection is closed then.
    """
    if not isinstance(sslcontext, ssl.SSLContext):
        raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    wrapped = wrap(
        protocol,
        sslcontext,
        server_side=server_side,
        server_hostname=server_hostname,
        waiter=waiter,
        ssl_handshake_timeout=ssl_handshake_timeout,
        ssl_shutdown_timeout=ssl_shutdown_timeout,
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
    return inner_transport(wrapped)
