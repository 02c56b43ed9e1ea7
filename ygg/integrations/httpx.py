"""httpx over a VTun: `httpx.AsyncClient(transport=YggTransport(vtun))`. The only file that touches httpx's `_pool`."""

import asyncio
import ssl

from ygg.errors import MissingExtraError
from ygg.stream.held import HoldingProtocol
from ygg.vtun import OverlayNetwork, VTun

try:
    import httpcore
    import httpx
except ImportError as error:
    raise MissingExtraError("YggTransport needs httpx: pip install 'ygg[http]'") from error

from ygg.integrations.httpcore import HTTPBackend


class VTunBackend(HTTPBackend):
    """httpcore's network, reached through a VTun: pass it to any httpcore pool as `network_backend`."""

    def __init__(self, vtun: VTun) -> None:
        super().__init__(OverlayNetwork(vtun))
        self._vtun = vtun

    async def dial(self, host: str, port: int, timeout: float | None, local_address: str | None) -> asyncio.Transport:
        """Return a connection from an address of this node; without `timeout` it is given up when TCP does."""
        local = None if local_address is None else (local_address, 0)
        transport, _ = await self._vtun.create_connection(HoldingProtocol, host, port, local_addr=local)
        return transport


class YggTransport(httpx.AsyncHTTPTransport):
    """An httpx transport whose connections run through a VTun: `http://[200:…]:port/` and `https://` alike.

    The arguments are those of `httpx.AsyncHTTPTransport` that make sense on an overlay. Closing the client closes
    the connections, not the VTun.
    """

    def __init__(
        self,
        vtun: VTun,
        *,
        verify: ssl.SSLContext | bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: httpx.Limits | None = None,
        retries: int = 0,
        local_address: str | None = None,
    ) -> None:
        # The base class would build a pool of its own; everything else it does goes through `_pool`.
        limits = limits or httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=None if verify is True else httpx.create_ssl_context(verify=verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http1=http1,
            http2=http2,
            retries=retries,
            local_address=local_address,
            network_backend=VTunBackend(vtun),
        )
