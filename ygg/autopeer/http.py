"""One HTTP or HTTPS GET over any network: what fetching a list of peers takes.

`httpcore` does HTTP/1.1: its network backend is a public seam, which httpx's clients do not have, and it neither
follows redirects nor decompresses behind our back, so the limits below hold for what is kept in memory.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpcore

from ygg.errors import YggError
from ygg.integrations.httpcore import HTTPBackend
from ygg.network import Network

MAX_REDIRECTS = 5
"""Redirects followed before giving up."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_PLAIN = "!$%&'()*+,/:;=?@[]|~"  # what needs no escape in a path or query, beside letters, digits, "_", "." and "-"
_FAILURES = (
    OSError,
    ValueError,  # a redirect to something that is no URL
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    TypeError,  # how httpcore refuses text that is not ASCII: there should be none
)


class FetchError(YggError, OSError):
    """A document could not be fetched; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes a request conditional: `ETag` and `Last-Modified` of the last good answer (RFC 9110, section 8.8)."""

    etag: bytes = b""
    """As the server wrote it, which need not be ASCII; empty when it gave none."""
    last_modified: bytes = b""
    """The same."""

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the request headers that ask for the document only if it changed."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return [(name, value) for name, value in pairs if value]


@dataclass(frozen=True, slots=True)
class Reply:
    """A fetched document, or None for one that has not changed."""

    body: bytes | None
    """The document; None when it has not changed."""
    validators: Validators
    """For the next question."""


async def get(
    url: str,
    network: Network,
    *,
    limit: int,
    timeout: float,
    validators: Validators | None = None,
    context: ssl.SSLContext | None = None,
) -> Reply:
    """Fetch `url` through `network`, following redirects but never from https to http.

    `limit` is the largest body in bytes, `timeout` in seconds for all of it; certificates are verified by `context`,
    the system's authorities and certifi's unless given. Raises `FetchError`.
    """
    conditions = validators or Validators()
    try:
        async with asyncio.timeout(timeout) as deadline:
            return await _follow(url, network, limit, conditions, context)
    except FetchError:
        raise
    except _FAILURES as error:
        if deadline.expired():
            raise FetchError(f"no answer within {timeout:g} s") from None
        raise FetchError(str(error) or type(error).__name__) from error


async def _follow(
    url: str, network: Network, limit: int, validators: Validators, context: ssl.SSLContext | None
) -> Reply:
    url = _encoded(url)
    if context is None and urlsplit(url).scheme == "https":
        # Reading the authorities takes a while: not on the event loop.
        context = await asyncio.to_thread(httpcore.default_ssl_context)
    # A pool of its own for each fetch: between two of them lie hours, and the network may be another one by then.
    async with httpcore.AsyncConnectionPool(ssl_context=context, network_backend=HTTPBackend(network)) as pool:
        for _ in range(MAX_REDIRECTS + 1):
            async with pool.stream("GET", url, headers=_headers(url, validators)) as response:
                headers = _decoded(response.headers)
                if response.status not in _REDIRECTS:
                    return await _read(response, headers, limit, validators)
            url = _redirected(url, headers.get("location", ""))
    raise FetchError(f"more than {MAX_REDIRECTS} redirects")


def _encoded(url: str) -> str:
    """Return a URL as it is sent: the host by IDNA, the rest percent-encoded, without user and fragment."""
    parts = urlsplit(url)
    host = parts.hostname
    if not host:
        raise FetchError("URL without a host")
    host = f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode("ascii")
    location = host if parts.port is None else f"{host}:{parts.port}"
    path, query = (quote(part, _PLAIN, errors="surrogateescape") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, location, path, query, ""))


def _headers(url: str, validators: Validators) -> list[tuple[str | bytes, str | bytes]]:
    return [
        ("Host", urlsplit(url).netloc),
        ("User-Agent", "ygg"),
        ("Accept", "application/json, text/markdown, text/plain, */*"),
        ("Accept-Encoding", "identity"),
        *validators.headers(),
    ]


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("ascii").lower(): value.decode("latin-1") for name, value in headers}


def _redirected(url: str, location: str) -> str:
    if not location:
        raise FetchError("redirect without a location")
    # Names and paths are UTF-8 these days; bytes that are not are escaped as they are.
    target = urljoin(url, location.encode("latin-1").decode("utf-8", "surrogateescape"))
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https"):
        raise FetchError(f"redirect to scheme {scheme[:16]!r}")
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise FetchError("redirect from https to http")
    return _encoded(target)


async def _read(response: httpcore.Response, headers: Mapping[str, str], limit: int, validators: Validators) -> Reply:
    if response.status == _NOT_MODIFIED and validators.headers():
        return Reply(None, validators)
    if response.status != 200:
        raise FetchError(f"HTTP status {response.status}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchError(f"content encoding {headers['content-encoding'][:16]!r}, which was not asked for")
    if int(headers.get("content-length", "0")) > limit:
        raise FetchError(f"larger than {limit} bytes")
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > limit:
            raise FetchError(f"larger than {limit} bytes")
    etag, last_modified = (headers.get(name, "").encode("latin-1") for name in ("etag", "last-modified"))
    return Reply(bytes(body), Validators(etag, last_modified))
