"""Redirects of a web server (RFC 9110, 15.4) in answer to a WebSocket's request, which is an HTTP request at first."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa
from urllib.parse import urljoin, urlsplit

from ygg.errors import LinkError, URLError, YggError
from ygg.url import PeerURL, host_port

STATUSES = frozenset({301, 302, 303, 307, 308})
"""Statuses that say where to ask instead."""
MOST = 5
"""Redirects followed in a dial."""

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_PORTS = {"ws": 80, "wss": 443}
_NEAR_NAME = re.compile(r"(?:.*\.)?localhost(?:\.localdomain)?|ip6-(?:localhost|loopback)")
_OURS = ("sni", "keepalive")  # options that a server has no say in


class Redirected(YggError):
    """A dial has been told to go elsewhere. No `OSError`: it is not the address that failed."""

    def __init__(self, url: PeerURL) -> None:
        super().__init__(f"redirected to {url.with_query().redacted()}")
        self.url = url
        """Where to dial instead."""


class Route:
    """The URLs that one dial has been at."""

    def __init__(self, url: PeerURL) -> None:
        self._seen = [_place(url)]

    def follow(self, redirected: Redirected) -> PeerURL:
        """Return where to go on. Raises `LinkError` after `MOST` redirects, and for one to where it has been."""
        place = _place(redirected.url)
        if place in self._seen:
            raise LinkError("WebSocket redirects go round in a circle") from None
        if len(self._seen) > MOST:
            raise LinkError(f"more than {MOST} WebSocket redirects") from None
        self._seen.append(place)
        return redirected.url


def _place(url: PeerURL) -> str:
    return str(url.with_query((name, value) for name, value in url.query if name not in _OURS))


def target_of(url: PeerURL, location: str) -> PeerURL:
    """Return the URL that a redirect of `url` leads to; relative ones are allowed. Raises `LinkError`.

    The target is a `ws` or `wss` URL, in its own words or as `http` and `https`; from `wss` only `wss` is followed.
    User and password stay behind, and so does `sni` unless the host is the same; `keepalive` is kept. A host of this
    machine or link is followed only from another of them.
    """
    try:
        found = _target(url, location)
    except (ValueError, URLError) as error:  # whatever the server wrote
        raise LinkError(f"WebSocket redirect to {location[:100]!r}: {error}") from None
    if url.scheme == "wss" and found.scheme != "wss":
        raise LinkError("WebSocket redirect from wss to ws")
    if _is_near(found.host) and not _is_near(url.host):
        raise LinkError(f"WebSocket redirect to {found.host}, which is this machine's or link's own")
    return found


def _target(url: PeerURL, location: str) -> PeerURL:
    base = f"{url.scheme}://{host_port(url.host, url.require_port())}{url.path or '/'}"
    parts = urlsplit(urljoin(base, location))
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise URLError("it is no WebSocket URL")
    host = url.host if parts.hostname == url.host.lower() else parts.hostname
    query = f"?{parts.query}" if parts.query else ""
    found = PeerURL.parse(f"{scheme}://{host_port(host, parts.port or _PORTS[scheme])}{parts.path or '/'}{query}")
    kept = [pair for pair in url.query if pair[0] == "keepalive" or (pair[0] == "sni" and host == url.host)]
    return found.with_query([*(pair for pair in found.query if pair[0] not in _OURS), *kept])


def _is_near(host: str) -> bool:
    """Tell whether a host is this machine's or the link's own; a name is not looked up."""
    host = host.rstrip(".").lower()
    with suppress(OSError):
        host = inet_ntoa(inet_aton(host))  # to the system's resolver 127.1 and 0x7f000001 are addresses too
    try:
        address = ip_address(host)
    except ValueError:
        return _NEAR_NAME.fullmatch(host) is not None
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified
