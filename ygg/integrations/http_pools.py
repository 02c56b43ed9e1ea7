"""The pool behind an HTTP transport, made as httpx and httpx2 make theirs, but with a network of ours."""

from __future__ import annotations

import ssl
from typing import Any


def pool(
    core: Any, backend: Any, ssl_context: ssl.SSLContext | None, limits: Any, proxy: Any, local_address: str | None,
    **options: Any,
) -> Any:
    """Return a pool of the library `core`, httpcore or httpcore2, which dials by `backend`, `proxy` if there is one.

    `limits` and `proxy` are objects of httpx or httpx2; `options` are the pool's. ValueError for a proxy of a kind that
    there is not.
    """
    options |= {
        "ssl_context": ssl_context,
        "max_connections": limits.max_connections,
        "max_keepalive_connections": limits.max_keepalive_connections,
        "keepalive_expiry": limits.keepalive_expiry,
        "network_backend": backend,
    }
    if proxy is None:
        return core.AsyncConnectionPool(local_address=local_address, **options)
    scheme = proxy.url.scheme
    options |= {
        "proxy_url": core.URL(
            scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
        ),
        "proxy_auth": proxy.raw_auth,
    }
    if scheme in ("http", "https"):
        options |= {"proxy_headers": proxy.headers.raw, "proxy_ssl_context": proxy.ssl_context}
        return core.AsyncHTTPProxy(local_address=local_address, **options)
    if scheme in ("socks5", "socks5h"):
        return core.AsyncSOCKSProxy(**options)
    raise ValueError(f"a proxy is reached by http, https, socks5 or socks5h, not by {scheme}")
