"""The private names of asyncio that ygg touches, all of them, each for want of a public one."""

import asyncio
import ssl
from asyncio import sslproto
from typing import Any, ClassVar, cast

from ygg.network.holding import HoldingProtocol, take_over


class StartTLSCompatible:
    """Mixin that makes `loop.start_tls()` of asyncio's own loops accept a transport."""

    _start_tls_compatible: ClassVar[bool] = True


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
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    protocol: Any = cast(Any, sslproto.SSLProtocol)(
        loop,
        HoldingProtocol(),
        context,
        waiter,
        server_side,
        server_hostname,
        call_connection_made=True,
        ssl_handshake_timeout=handshake_timeout,
        ssl_shutdown_timeout=shutdown_timeout,
    )
    try:
        take_over(transport, protocol)
        await waiter
    except BaseException:
        transport.abort()
        raise
    return cast(asyncio.Transport, protocol._app_transport)
