"""Peer and listener URLs: `scheme://[user[:pass]@]host:port[/path][?option=value&…]` (protocol 0.5, links)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import Self
from urllib.parse import quote, unquote, unquote_to_bytes

from ygg.errors import (
    BackoffError,
    CongestionError,
    DurationError,
    KeepaliveError,
    PasswordError,
    PinnedKeyError,
    PriorityError,
    URLError,
)

MAX_URL = 4096
"""Characters a URL may have; the longest useful ones stay far below."""

MAX_OPTIONS = 64
"""Options a URL may have."""

DEFAULT_MAX_BACKOFF = 4096.0
"""Seconds between redials at most when the URL does not say."""

MIN_MAX_BACKOFF = 5.0
"""The smallest `maxbackoff` accepted, in seconds."""

MIN_KEEPALIVE = 1.0
"""The shortest interval of `keepalive` accepted, in seconds."""

MAX_PASSWORD = 64
"""Bytes of a link password: the key size of BLAKE2b."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FORBIDDEN = re.compile(r"[\x20\xa0\u2028\u2029<>\"\\^`{|}]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_OPTION = re.compile(rf";|{_BAD_ESCAPE.pattern}")
_NAME = re.compile(r"[^\s/?#@:\[\]%]{0,255}")
_ZONE = re.compile(r"[A-Za-z0-9._~:@+-]{1,64}")
_PORT = re.compile(r"[0-9]{1,5}")
_CONGESTION = re.compile(rb"[A-Za-z0-9_-]{1,15}")
_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_GUARDS = {"key": PinnedKeyError, "password": PasswordError}
_DURATION = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def parse_duration(text: str) -> float:
    """Return the seconds of a duration in Go's notation (`300ms`, `1.5m`, `1h30m`, `-2s`, `0`).

    Raises `DurationError` for anything else, and for more than Go's 64-bit nanoseconds hold.
    """
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0.0
    total, position = 0.0, 0
    while position < len(body):
        match = _DURATION.match(body, position)
        if match is None or not (match[1] or match[2]) or match.end() - position > 64:
            raise DurationError(f"invalid duration {text[:64]!r}")
        total += float(f"{match[1] or 0}.{match[2] or 0}") * _UNITS[match[3]]
        position = match.end()
    if not body or total >= 2**63:
        raise DurationError(f"invalid duration {text[:64]!r}")
    return (-total if text[0] == "-" else total) / 1e9


def format_duration(seconds: float) -> str:
    """Return `seconds` in Go's notation: `1h8m16s`, `2s`, `1.5s`, `300ms`."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if 0 < seconds < 1:
        for unit, scale in (("ms", 1e3), ("µs", 1e6)):
            if seconds * scale >= 1:
                return f"{seconds * scale:.6g}{unit}"
        return f"{seconds * 1e9:.0f}ns"
    minutes, rest = divmod(round(seconds, 9), 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    return f"{hours}h{minutes}m{tail}" if hours else f"{minutes}m{tail}" if minutes else tail


def host_port(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """The query options of a URL that the protocol knows, checked and decoded."""

    keys: tuple[bytes, ...] = ()
    """Pinned public keys, 32 bytes each; empty when any key will do."""
    priority: int = 0
    """0 to 255; the lower is preferred among links to the same node."""
    password: bytes = field(default=b"", repr=False)
    """At most 64 bytes; empty for none."""
    max_backoff: float = DEFAULT_MAX_BACKOFF
    """Seconds between redials at most."""
    sni: str = ""
    """TLS server name asked for; empty when the host is to be used."""
    origins: tuple[str, ...] = ()
    """Patterns of the `Origin` headers a WebSocket listener admits."""
    keepalive: float = 0.0
    """Seconds between pings of a WebSocket; 0 for none."""
    congestion: str = ""
    """Congestion control of the TCP connection below, such as `bbr` (Linux); empty for the system's default."""


@dataclass(frozen=True, slots=True)
class PeerURL:
    """A peer's or listener's URL, taken apart. Immutable, hashable, equal by content.

    `PeerURL.parse()` checks everything; `str()` gives the URL back, `repr()` without its secrets.
    """

    scheme: str
    """Lower case."""
    host: str = ""
    """A name, or an address without brackets, with its zone after `%`; empty for none."""
    port: int | None = None
    """0 to 65535, or `None` when the URL has none."""
    path: str = ""
    """As written, percent-encoded, with its leading slash."""
    userinfo: str = field(default="", repr=False)
    """As written, percent-encoded, without the `@`."""
    query: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """Every option, known or not, in order, decoded."""
    options: LinkOptions = field(default=LinkOptions(), compare=False)
    """The known options of `query`."""

    @classmethod
    def parse(cls, text: "str | PeerURL") -> "PeerURL":
        """Return the URL `text` spells. Raises `URLError` or the subclass that names the bad option.

        As in the reference, the query may have any character but control characters, and of its options those with a
        bare `%` or a `;` are left out. Not so a pinned key or a password, without which the link would be less guarded
        than its writer believes: there they raise.
        """
        if isinstance(text, PeerURL):
            return text
        if len(text) > MAX_URL:
            raise URLError(f"URL is longer than {MAX_URL} characters")
        rest, _, query_text = text.partition("#")[0].partition("?")
        if _CONTROL.search(text) or _FORBIDDEN.search(rest):
            raise URLError("URL has a character that must be percent-encoded")
        scheme, separator, rest = rest.partition("://")
        if not separator or not _SCHEME.fullmatch(scheme):
            raise URLError("missing or malformed scheme in URL")
        authority, slash, path = rest.partition("/")
        userinfo, _, location = authority.rpartition("@")
        if any(map(_BAD_ESCAPE.search, (userinfo, path))):
            raise URLError("invalid URL escape")
        host, port = _split_location(location)
        query = _parse_query(query_text)
        return cls(scheme.lower(), host, port, slash + path, userinfo, query, _parse_options(query))

    @property
    def username(self) -> str:
        """The user of the userinfo, decoded; empty for none."""
        return unquote(self.userinfo.partition(":")[0])

    @property
    def password(self) -> str:
        """The password of the userinfo, decoded; empty for none. The link password is `options.password`."""
        return unquote(self.userinfo.partition(":")[2])

    @property
    def file(self) -> str:
        """The path, decoded: what a `unix` URL names."""
        return unquote(self.path)

    @property
    def location(self) -> str:
        """`host:port` as a listener prints it: IPv6 hosts in brackets; the path for a URL without a host."""
        if not self.host and self.port is None:
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def identity(self) -> str:
        """The URL without its query: what tells one configured peer from another."""
        return self._base(self.userinfo)

    def require_port(self) -> int:
        """Return the port. Raises `URLError` when there is none."""
        if self.port is None:
            raise URLError(f"address {self.host}: missing port in address")
        return self.port

    def get(self, option: str) -> str | None:
        """Return the first value of `option`, or `None`."""
        return next(iter(self.get_all(option)), None)

    def get_all(self, option: str) -> list[str]:
        """Return every value of `option`, in order."""
        return [value.decode("utf-8", "replace") for name, value in self.query if name == option]

    def with_scheme(self, scheme: str) -> Self:
        """Return the same URL under another scheme."""
        return replace(self, scheme=scheme.lower())

    def with_host(self, host: str, port: int | None = None) -> Self:
        """Return the same URL at another host, and at another port if one is given."""
        return replace(self, host=host, port=self.port if port is None else port)

    def with_path(self, path: str) -> Self:
        """Return the same URL with another path."""
        return replace(self, path=path)

    def with_query(self, query: Iterable[tuple[str, str | bytes]] = ()) -> Self:
        """Return the same URL with these options instead of its own."""
        pairs = tuple((name, value.encode() if isinstance(value, str) else value) for name, value in query)
        return replace(self, query=pairs, options=_parse_options(pairs))

    def redacted(self) -> str:
        """Return the URL fit for a log: passwords replaced by `xxxxx`."""
        user, colon, _ = self.userinfo.partition(":")
        base = self._base(f"{user}:xxxxx" if colon else user)
        return base + _format_query((name, b"xxxxx" if name == "password" else value) for name, value in self.query)

    def __str__(self) -> str:
        return self.identity + _format_query(self.query)

    def __repr__(self) -> str:
        return f"PeerURL({self.redacted()!r})"

    def _base(self, userinfo: str) -> str:
        at = f"{userinfo}@" if userinfo else ""
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{at}{host}{port}{self.path}"


def _split_location(location: str) -> tuple[str, int | None]:
    if location.startswith("["):
        inside, bracket, port_text = location[1:].partition("]")
        if not bracket or port_text[:1] not in ("", ":"):
            raise URLError("malformed address in brackets")
        return _bracketed(inside), _port(port_text[1:]) if port_text else None
    host, colon, port_text = location.partition(":")
    if not _NAME.fullmatch(host):
        raise URLError(f"malformed host {host[:64]!r}")
    return host, _port(port_text) if colon else None


def _bracketed(inside: str) -> str:
    # "%25" is the standard's spelling, a bare "%" what listeners print.
    address, percent, zone = inside.partition("%25" if "%25" in inside else "%")
    try:
        IPv6Address(address)
    except ValueError:
        raise URLError(f"malformed IPv6 address {address[:64]!r}") from None
    if not percent:
        return address
    zone = unquote(zone)
    if not _ZONE.fullmatch(zone):
        raise URLError("malformed zone in IPv6 address")
    return f"{address}%{zone}"


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise URLError(f"invalid port {text[:16]!r}")
    return int(text)


def _parse_query(text: str) -> tuple[tuple[str, bytes], ...]:
    parts = [part for part in text.replace("+", " ").split("&") if part]
    if len(parts) > MAX_OPTIONS:
        raise URLError(f"URL has more than {MAX_OPTIONS} options")
    pairs = []
    for part in parts:
        name, _, value = part.partition("=")
        if not _BAD_OPTION.search(part):
            pairs.append((unquote(name), unquote_to_bytes(value)))
        elif error := _GUARDS.get(unquote(name)):
            raise error(f"{error.text}: % and ; are written %25 and %3B there")
    return tuple(pairs)


def _format_query(query: Iterable[tuple[str, bytes]]) -> str:
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    return f"?{text}" if text else ""


def _parse_options(query: Iterable[tuple[str, bytes]]) -> LinkOptions:
    """Read the known options; an empty value counts as absent, as in the reference."""
    values: dict[str, list[bytes]] = {}
    for name, value in query:
        if value:
            values.setdefault(name, []).append(value)
    first = {name: found[0] for name, found in values.items()}
    if len(password := first.get("password", b"")) > MAX_PASSWORD:
        raise PasswordError
    return LinkOptions(
        keys=tuple(_pinned_key(value) for value in values.get("key", ())),
        priority=_priority(first.get("priority", b"0")),
        password=password,
        max_backoff=_max_backoff(first["maxbackoff"]) if "maxbackoff" in first else DEFAULT_MAX_BACKOFF,
        sni=first.get("sni", b"").decode("utf-8", "replace"),
        keepalive=_keepalive(first.get("keepalive", b"0")),
        congestion=_congestion(first.get("congestion", b"")),
        origins=tuple(value.decode("utf-8", "replace") for value in values.get("origin", ())),
    )


def _pinned_key(value: bytes) -> bytes:
    text = value.decode("ascii", "replace")
    if not _KEY.fullmatch(text):
        raise PinnedKeyError
    return bytes.fromhex(text)


def _priority(value: bytes) -> int:
    # A leading sign or underscore is fine for int() but not for the reference.
    if not value.isdigit() or len(value) > 32 or int(value) > 255:
        raise PriorityError
    return int(value)


def _congestion(value: bytes) -> str:
    if value and not _CONGESTION.fullmatch(value):
        raise CongestionError
    return value.decode()


def _keepalive(value: bytes) -> float:
    try:
        seconds = parse_duration(value.decode("utf-8", "replace"))
    except DurationError:
        raise KeepaliveError from None
    if seconds and seconds < MIN_KEEPALIVE:
        raise KeepaliveError
    return seconds


def _max_backoff(value: bytes) -> float:
    try:
        seconds = parse_duration(value.decode("utf-8", "replace"))
    except DurationError:
        raise BackoffError from None
    if seconds < MIN_MAX_BACKOFF:
        raise BackoffError
    return seconds
