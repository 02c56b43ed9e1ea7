"""The private names of asyncio that ygg touches, all of them, each for want of a public one."""

import asyncio
import ssl
from asyncio import sslproto
from typing import Any, ClassVar, cast

from ygg.network.holding import HoldingProtocol, take_over


class StartTLSCompatible:
    """Mixin that makes `loop.start_tls()` of asyncio's own loops accept a transport."""

    _start_tls_compatible: ClassVar[bool] = True


def tls_protocol(
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    waiter: "asyncio.Future[None] | None" = None,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float | None = None,
    shutdown_timeout: float | None = None,
    call_connection_made: bool = True,
) -> asyncio.BufferedProtocol:
    """Return a protocol that speaks TLS with the remote side and shows `protocol` the plain text.

    Timeouts are in seconds, None for asyncio's own. `waiter` is told how the handshake ended.
    """
    made = cast(Any, sslproto.SSLProtocol)(
        asyncio.get_running_loop(),
        protocol,
        context,
        waiter,
        server_side,
        server_hostname,
        call_connection_made=call_connection_made,
        ssl_handshake_timeout=handshake_timeout,
        ssl_shutdown_timeout=shutdown_timeout,
    )
    return cast(asyncio.BufferedProtocol, made)


def plain_transport(protocol: asyncio.BufferedProtocol) -> asyncio.Transport:
    """Return the transport of the plain text of a `tls_protocol`."""
    return cast(asyncio.Transport, cast(Any, protocol)._app_transport)


async def start_tls(
    transport: asyncio.Transport,
    context: ssl.SSLContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float,
    shutdown_timeout: float = 1.0,
) -> asyncio.Transport:
    """Run TLS over a held transport of any kind, on any loop, and return the held transport of the plain text.

    `loop.start_tls()` refuses transports it did not make (always, on uvloop), so asyncio's own TLS protocol is put
    on the transport directly. Raises what the handshake raises; the transport is aborted then.
    """
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    holding = HoldingProtocol()
    protocol = tls_protocol(
        holding,
        context,
        waiter,
        server_side=server_side,
        server_hostname=server_hostname,
        handshake_timeout=handshake_timeout,
        shutdown_timeout=shutdown_timeout,
        call_connection_made=False,
    )
    try:
        take_over(transport, protocol)
        await waiter
    except BaseException:
        transport.abort()
        raise
    plain = plain_transport(protocol)
    # Only now: to pause reading while the handshake completes keeps its last message from being sent.
    holding.connection_made(plain)
    return plain
