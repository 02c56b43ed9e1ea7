"""One public peer as a list describes it, and the checks a stranger's URL passes before it becomes one."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Any

from ygg.errors import URLError, YggError
from ygg.identity.overlay import OVERLAY
from ygg.url import PeerURL

SCHEMES = frozenset({"tcp", "tls", "quic", "ws", "wss"})
"""Schemes a public peer may have. A list of strangers must not point us at our own proxies or UNIX sockets."""
MAX_URL = 1024
"""Longest URL accepted, in characters; the longest in the public lists has 120."""
MAX_TEXT = 64
"""Characters kept of a list's date, and of the name of a country or region."""
FRESH = 86_400
"""Seconds a measurement counts for."""

_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
# What may be an address: looking for one in every name is what costs most. Some resolvers take 127.1 and 0x7f for one.
_MAYBE_ADDRESS = re.compile(r":|(?:\A|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\Z")
_LOCAL_NAME = re.compile(r"(?:.*\.)?localhost(?:\.localdomain)?|ip6-(?:localhost|loopback)")
_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_RESERVED = ipaddress.IPv4Network("240.0.0.0/4")  # broadcast is among them


class PeerRejected(YggError, ValueError):
    """A list's entry is not a peer one could use; the text is the reason."""


@dataclass(frozen=True, slots=True)
class PublicPeer:
    """A peer from a public list. What the list does not say, or says with a stale measurement, is None."""

    url: str
    """What a node dials."""
    scheme: str
    """Of the URL, lower case."""
    host: str
    """Of the URL."""
    port: int
    """Of the URL."""
    country: str
    """Lower case with spaces, such as `united states`; empty when the list does not say."""
    region: str = ""
    """Continent, in the same manner."""
    key: str | None = None
    """Public key in lower-case hex, pinned by the URL or measured by the list's crawler."""
    up: bool | None = None
    """Whether the crawler could reach it lately."""
    uptime: float | None = None
    """Percentage of the last week it was up, 0…100."""
    response_ms: float | None = None
    """Milliseconds it took to answer the crawler."""
    measured: float | None = None
    """When `up`, `uptime` and `response_ms` were measured, in Unix seconds."""

    @property
    def identity(self) -> str:
        """What makes two URLs the same link: everything but the query (protocol 0.5, section 2.4)."""
        return self.url.partition("?")[0]

    def as_of(self, now: float) -> PublicPeer:
        """Return this peer without what was measured too long before `now` (Unix seconds) to count."""
        if self.measured is None or is_fresh(self.measured, now):
            return self
        return replace(self, up=None, uptime=None, response_ms=None, measured=None)

    def completed(self, other: PublicPeer) -> PublicPeer:
        """Return this peer with what only another list knows of it filled in."""
        names = ("country", "region", "key", "up", "uptime", "response_ms", "measured")
        missing = {name: getattr(other, name) for name in names if getattr(self, name) in (None, "")}
        return replace(self, **missing) if missing else self


def is_fresh(measured: float, now: float) -> bool:
    """Tell whether a measurement of that Unix time still counts; one from a day ahead is a broken clock's."""
    return abs(now - measured) <= FRESH


def plain(text: str) -> str:
    """Return a stranger's text fit to be shown: printable, single spaces, and no longer than `MAX_TEXT`."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:MAX_TEXT].rstrip()


def place(name: str) -> str:
    """Return the name of a country or region as it is compared: lower case, spaces, no `.md`."""
    return plain(name.lower().removesuffix(".md").replace("-", " ").replace("_", " "))


def plain_host(host: str) -> str:
    """Return a host in its one spelling: lower case, no final dot, an address in its canonical form, IPv4 unmapped."""
    host = host.lower().removesuffix(".")
    address = _address(host)
    return host if address is None else str(getattr(address, "ipv4_mapped", None) or address)


def plain_url(url: PeerURL) -> PeerURL:
    """Return a URL in the spelling by which links are told apart."""
    host, path = plain_host(url.host), "" if url.path == "/" else url.path
    return url if (host, path) == (url.host, url.path) else url.with_host(host).with_path(path)


def check_peer(text: object, **fields: Any) -> PublicPeer:
    """Return the public peer of a URL, with `fields` as measured; raises `PeerRejected` with the reason."""
    if not isinstance(text, str):
        raise PeerRejected("the URL is not a string")
    if len(text) > MAX_URL:
        raise PeerRejected(f"the URL is longer than {MAX_URL} characters")
    if not _PRINTABLE.fullmatch(text):
        raise PeerRejected("the URL holds spaces, control or non-ASCII characters")
    try:
        url = PeerURL.parse(text)
    except URLError as error:
        raise PeerRejected(str(error)) from None
    url = plain_url(url)
    _check_parts(url)
    if pinned := [key.hex() for key in url.options.keys]:
        fields["key"] = fields.get("key") or pinned[0]
        if fields["key"] not in pinned:
            raise PeerRejected("the key is not one the URL pins")
    _, mark, query = text.partition("#")[0].partition("?")
    canonical = url.identity + mark + query
    return PublicPeer(url=canonical, scheme=url.scheme, host=url.host, port=url.require_port(), **fields)


def _check_parts(url: PeerURL) -> None:
    if url.scheme not in SCHEMES:
        raise PeerRejected(f"the scheme {url.scheme[:16]!r} is none of a public peer's ({', '.join(sorted(SCHEMES))})")
    if url.userinfo:
        raise PeerRejected("the URL carries credentials")
    if not url.port:
        raise PeerRejected("the URL has no port")
    if "%" in url.host:
        raise PeerRejected("the host has a zone, which means nothing elsewhere")
    address = _address(url.host)
    if address is None:
        if _MAYBE_ADDRESS.search(url.host) or not _NAME.fullmatch(url.host):
            raise PeerRejected("the host is neither a name nor an address")
        return
    if address.is_unspecified or address.is_multicast or address in _RESERVED:
        raise PeerRejected("the host is no unicast address")
    if address in OVERLAY:
        raise PeerRejected("the host is inside the overlay itself")


def is_local(host: str) -> bool:
    """Tell whether a host in its one spelling is this machine or on a link of it; where a name leads is not known."""
    address = _address(host)
    if address is None:
        return _LOCAL_NAME.fullmatch(host) is not None
    return address.is_loopback or address.is_link_local


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host) if _MAYBE_ADDRESS.search(host) else None
    except ValueError:
        return None


def check_key(text: object) -> str:
    """Return a public key in lower-case hex; raises `PeerRejected` for anything but 64 hex digits."""
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise PeerRejected("the key is not 64 hex digits")
    return text.lower()
