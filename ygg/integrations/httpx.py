"""httpx over a VTun: `httpx.AsyncClient(transport=YggTransport(vtun))`. It alone touches httpx's `_pool`."""

import ssl

from ygg.errors import MissingExtraError
from ygg.integrations.http_pools import pool
from ygg.vtun import VTun

try:
    import httpcore
    import httpx
except ImportError as error:
    raise MissingExtraError("YggTransport needs httpx: pip install 'ygg[http]'") from error

from ygg.integrations.httpcore import VTunBackend

__all__ = ["VTunBackend", "YggTransport"]


class YggTransport(httpx.AsyncHTTPTransport):
    """An httpx transport whose connections run through a VTun: `http://[200:…]:port/` and `https://` alike.

    The arguments are those of `httpx.AsyncHTTPTransport` that make sense on an overlay; a proxy is dialed through the
    VTun too. Closing the client closes the connections, not the VTun. A response's `extensions["ygg"]["public_key"]` is
    the 32-byte key of the node that gave it, None where that is not known.
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
        proxy: httpx.Proxy | httpx.URL | str | None = None,
    ) -> None:
        # The base class would build a pool of its own; everything else it does goes through `_pool`.
        self._pool = pool(
            httpcore,
            VTunBackend(vtun),
            None if verify is True else httpx.create_ssl_context(verify=verify),
            limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
            httpx.Proxy(proxy) if isinstance(proxy, httpx.URL | str) else proxy,
            local_address,
            http1=http1,
            http2=http2,
            retries=retries,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, as httpx asks its transports to."""
        response = await super().handle_async_request(request)
        stream = response.extensions.get("network_stream")
        if stream is not None:
            response.extensions["ygg"] = {"public_key": stream.get_extra_info("public_key")}
        return response
