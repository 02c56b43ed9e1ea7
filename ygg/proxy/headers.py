"""Header fields that pass a forward of HTTP, those that end there, and those that it sets (RFC 9110, 7.6; RFC 7239).

Clients may not choose what a server believes of them: each field that says who a client is, is taken out of what they
send, also where it is spelled with `_` or another sign, which many servers take for `-`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ygg.errors import ProxyError

_SIGNS = re.compile(rb"[^a-z0-9]")
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")
_AUTHORITY = re.compile(rb"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._~-]{1,255}))(?::(?P<port>[0-9]{1,5}))?")

Fields = list[tuple[bytes, bytes]]
"""Names and values, as h11 has them."""

KEY_FIELD = b"X-Ygg-Public-Key"
"""The field with the key of the client's node: 64 hex digits."""

TOLD = frozenset((b"forwarded", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip", b"client-ip",
                  b"cf-connecting-ip", b"fastly-client-ip", b"x-original-forwarded-for", b"x-remote-ip",
                  b"x-remote-addr", b"remote-addr", b"remote-user", b"x-remote-user", b"proxy", b"x-forwarded",
                  b"forwarded-for", b"x-forwardedfor", b"x-originating-ip", b"x-proxyuser-ip", b"proxy-client-ip",
                  b"wl-proxy-client-ip", b"x-envoy-external-address", b"fly-client-ip", b"x-ygg"))
"""Fields that say who the client is, or are taken for the environment, and begin with neither of the prefixes."""
TOLD_PREFIXES = (b"x-forwarded-", b"x-ygg-")
"""The beginnings of others."""

HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
                        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"http2-settings"))
"""Fields of one connection."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who a client is, as servers are told."""

    host: str
    """Its address."""
    public_key: bytes | None
    """The key of its node."""
    scheme: str = "http"
    """By what it speaks to the forward: http or https."""


def spelled(name: bytes) -> bytes:
    """Return a field's name as a server may read it: many have one sign for all that is no letter or digit."""
    return _SIGNS.sub(b"-", name.lower())


def named_in(fields: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
    """Return the names that `Connection` fields say are of this connection alone."""
    return {token.strip().lower() for name, value in fields if name.lower() == b"connection"
            for token in value.split(b",")}


def passing(fields: Fields) -> Fields:
    """Return what is passed on of a message, without its framing but for the length."""
    ending = HOP_BY_HOP | (named_in(fields) - {b"content-length", b"host"})
    return [(name, value) for name, value in fields if name.lower() not in ending and spelled(name) not in HOP_BY_HOP]


def request_fields(fields: Fields, client: Client, *, upgrade: bytes | None) -> Fields:
    """Return the fields of a request as the server gets them."""
    kept = [(name, value) for name, value in passing(fields)
            if (plain := spelled(name)) not in TOLD and not plain.startswith(TOLD_PREFIXES)]
    host = client.host.encode()
    told = [
        (b"X-Forwarded-For", host),
        (b"X-Forwarded-Proto", client.scheme.encode()),
        (b"Forwarded", b'for="%s";proto=%s' % (b"[%s]" % host if b":" in host else host, client.scheme.encode())),
    ]
    if client.public_key is not None:
        told.append((KEY_FIELD, client.public_key.hex().encode()))
    if upgrade is not None:
        told += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
    if (size := framing(fields)) == b"chunked":
        told.append((b"Transfer-Encoding", size))
    return kept + told


def response_fields(fields: Fields) -> Fields:
    """Return the fields of a response as the client gets them; h11 adds how its body ends.

    A length beside a coding is none (RFC 9112, 6.3).
    """
    coded = any(name.lower() == b"transfer-encoding" for name, _ in fields)
    return [(name, value) for name, value in passing(fields) if not (coded and name.lower() == b"content-length")]


def framing(fields: Fields) -> bytes | None:
    """Return how the body of a request ends: its length, `chunked`, or None without a body.

    Raises `ProxyError` where it says so twice, in different ways, or in a name that is spelled otherwise: what one
    server takes for the end of a request is the beginning of another to the next (RFC 9112, 11.2).
    """
    lengths = [value for name, value in fields if spelled(name) == b"content-length"]
    codings = [value for name, value in fields if spelled(name) == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise ProxyError("a request whose body has more than one end")
    if any(name.lower() != plain for name, _ in fields
           if (plain := spelled(name)) in (b"content-length", b"transfer-encoding", b"host")):
        raise ProxyError("a field of the framing in another spelling")
    return codings[0].strip().lower() if codings else lengths[0] if lengths else None


def upgrade_of(fields: Fields) -> bytes | None:
    """Return the protocol that a request may change to: WebSocket alone, as others would leave the forward's rules."""
    tokens = named_in(fields)
    for name, value in fields:
        if name.lower() == b"upgrade" and b"upgrade" in tokens and value.strip().lower() == b"websocket":
            return b"websocket"
    return None


def target_and_host(target: bytes, fields: Fields) -> tuple[bytes, Fields]:
    """Return the origin form of a request's target, and its fields with the host that an absolute form names.

    Raises `ProxyError` for other forms (RFC 9112, 3.2).
    """
    if target.startswith(b"/") or target == b"*":
        if not all(_HOST.fullmatch(value) for name, value in fields if name.lower() == b"host"):
            raise ProxyError("a host that is none")
        return target, fields
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        raise ProxyError("a target that is no path")
    host, slash, path = rest.partition(b"/")
    if not host or not _HOST.fullmatch(host):
        raise ProxyError("a target that is no path")
    kept = [(name, value) for name, value in fields if name.lower() != b"host"]
    return slash + path or b"/", [(b"Host", host), *kept]


def proxied(target: bytes, fields: Fields) -> tuple[str, int, bytes, Fields]:
    """Return host, port and origin form of a request to a proxy, and its fields with the host that its target names.

    Raises `ProxyError` for what is no absolute form of `http` (RFC 9112, 3.2.2).
    """
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() != b"http":
        raise ProxyError("a target that is no http://host/path")
    origin, fields = target_and_host(target, fields)
    host, port = authority(rest.partition(b"/")[0], 80)
    return host, port, origin, fields


def authority(text: bytes, default: int | None = None) -> tuple[str, int]:
    """Return host and port of `host:port` or `[address]:port`; `default` is the port of one without. Raises
    `ProxyError`.
    """
    found = _AUTHORITY.fullmatch(text)
    port = default if found is None or found["port"] is None else int(found["port"])
    if found is None or port is None or not 0 < port < 65536:
        raise ProxyError("no host and port")
    return (found["six"] or found["name"]).decode(), port
