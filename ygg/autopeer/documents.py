"""Lists of public peers: the forms in use, told apart by their shape and not by where they came from.

`publicnodes`  the crawler's JSON: country page → URL → measurement
`yggpeers`     JSON with a schema version, sources, and peers with endpoints
`markdown`     the lists people edit: URLs in back-ticks or fenced blocks, one file a country
`ygg`          our own JSON, which `tools/builtin-peers` writes and the library carries

A document that is none of these is refused as a whole with `DocumentError`. Within one, each entry stands alone:
unknown fields are ignored; a required one that is missing, one of the wrong type, or one that contradicts the entry's
URL rejects that entry with its reason.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from ygg.autopeer.peer import (
    PeerRejected,
    PublicPeer,
    check_key,
    check_peer,
    is_fresh,
    is_local,
    place,
    plain,
    plain_host,
)
from ygg.errors import YggError

MAX_SIZE = 8 << 20
"""Largest document read, in bytes; the crawler's has about 100 KiB."""
MAX_PEERS = 20_000
"""Most peers kept of one document; the public lists have a few hundred."""
MAX_ENTRIES = 2 * MAX_PEERS
"""Most entries of one document looked at: those beyond are left out unseen, which bounds the time a document takes."""
MAX_REASONS = 50
"""Most rejections kept with their reason; the others are only counted."""
PROTO_MINOR = 5
"""The protocol's minor version: a peer of another cannot peer with us."""
OWN_FORMAT = "ygg-public-peers-1"
"""The value of `format` that marks our own form."""

_TOO_MANY = f"the document has more than {MAX_ENTRIES} entries"
_PAGE = ".md"
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_TICKS = re.compile(r"(`+)")
_AROUND = "`\"',<>;"  # what a URL in a block may be set in
_MISSING = object()


class DocumentError(YggError, ValueError):
    """The document is no list of public peers; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry that was left out."""

    entry: str
    """Its URL, shortened, without user and query, and with unprintable characters escaped."""
    reason: str
    """Why, for a person."""


@dataclass(slots=True)
class Document:
    """What one list said."""

    form: str
    """`publicnodes`, `yggpeers`, `markdown` or `ygg`."""
    date: str = ""
    """When the list was made, as it says itself."""
    peers: list[PublicPeer] = field(default_factory=list)
    """Its usable peers in its order, each link once."""
    rejections: list[Rejection] = field(default_factory=list)
    """The first `MAX_REASONS` entries left out."""
    rejected: int = 0
    """Entries left out."""
    duplicates: int = 0
    """Entries for a link the document had named before."""
    allow_local: bool = False
    """Whether peers on this machine and its links are taken."""
    _seen: set[str] = field(default_factory=set, repr=False)

    def add(self, url: object, make: Callable[[], PublicPeer]) -> None:
        """Take the peer `make` returns, or note why it raised `PeerRejected`."""
        if len(self.peers) + self.rejected + self.duplicates >= MAX_ENTRIES:
            self.reject(url, _TOO_MANY)
            return
        try:
            peer = make()
            if not self.allow_local and is_local(peer.host):
                raise PeerRejected("the host is this machine's or link's own")
        except PeerRejected as error:
            self.reject(url, str(error))
        else:
            self._keep(peer)

    def merge(self, other: Document) -> None:
        """Take everything another document said."""
        self.rejected += other.rejected
        self.rejections += other.rejections[: MAX_REASONS - len(self.rejections)]
        self.duplicates += other.duplicates
        for peer in other.peers:
            self._keep(peer)

    def _keep(self, peer: PublicPeer) -> None:
        identity = peer.identity
        if identity in self._seen:
            self.duplicates += 1
        elif len(self.peers) >= MAX_PEERS:
            self.reject(peer.url, f"the document has more than {MAX_PEERS} peers")
        else:
            self._seen.add(identity)
            self.peers.append(peer)

    def reject(self, entry: object, reason: str) -> None:
        """Note that an entry was left out, and why."""
        self.rejected += 1
        if len(self.rejections) < MAX_REASONS:
            self.rejections.append(Rejection(_escaped(entry), reason))


def parse_document(
    data: bytes, *, name: str = "", region: str = "", now: float, allow_local: bool = False
) -> Document:
    """Read a list of public peers, whichever form it has.

    `name` is the file's or URL's last part, which a Markdown list takes its country from, and `region` its folder's;
    `now` is in Unix seconds, against which measurements are fresh or stale. `allow_local` takes peers on this machine
    and its links too, which no stranger's list has any business with. Raises `DocumentError`.
    """
    if len(data) > MAX_SIZE:
        raise DocumentError(f"larger than {MAX_SIZE} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    document = Document("", allow_local=allow_local)
    if text.lstrip()[:1] == "{":
        _read_json(document, text, now)
    else:
        _read_markdown(document, text, place(name), place(region))
    return document


def _read_json(document: Document, text: str, now: float) -> None:
    try:
        root = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise DocumentError("not JSON: nested too deeply") from None
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}") from None
    if root.get("format") == OWN_FORMAT:
        _read_own(document, root)
    elif "schema_version" in root:
        _read_yggpeers(document, root, now)
    elif any(page.endswith(_PAGE) for page in root):
        _read_publicnodes(document, root, now)
    else:
        raise DocumentError("JSON of no known form")


def _read_publicnodes(document: Document, root: dict[str, Any], now: float) -> None:
    document.form = "publicnodes"
    for page, peers in root.items():
        if not page.endswith(_PAGE):  # a field of a later version
            continue
        if not isinstance(peers, dict):
            document.reject(page, "the country's peers are no object")
            continue
        country = place(page)
        for url, measured in peers.items():
            document.add(url, lambda c=country, u=url, m=measured: check_peer(u, country=c, **_measurement(m, now)))  # type: ignore[misc]


def _measurement(measured: object, now: float) -> dict[str, Any]:
    if not isinstance(measured, dict):
        raise PeerRejected("the measurement is no object")
    minor = _number(measured, "proto_minor")
    if minor is not None and minor != PROTO_MINOR:
        raise PeerRejected(f"speaks protocol 0.{minor:g}, not 0.{PROTO_MINOR}")
    up = _field(measured, "up", bool, None)
    response = _number(measured, "response_ms", least=0)
    updated, *_ = (_number(measured, name) for name in ("updated", "imported", "last_seen"))
    fields: dict[str, Any] = {}
    if measured.get("key") not in (None, ""):
        fields["key"] = check_key(measured["key"])
    if updated is not None and is_fresh(updated, now):
        # a peer that is down keeps the response time of its last good reply
        fields.update(up=up, response_ms=response if up else None, measured=updated)
    return fields


def _read_yggpeers(document: Document, root: dict[str, Any], now: float) -> None:
    document.form = "yggpeers"
    try:
        generated = _field(root, "generated_at", str)
        _field(root, "schema_version", str)
        sources = _field(root, "sources", dict)
        for name in ("public_peers_repo", "public_peers_branch", "uptime_page"):
            _field(sources, name, str)
        peers = _field(root, "peers", list)
    except PeerRejected as error:
        raise DocumentError(str(error)) from None
    document.date, made = plain(generated), _unix_time(generated)
    for entry in peers:
        try:
            where = {"region": place(_field(entry, "continent", str)), "country": place(_field(entry, "country", str))}
            _field(entry, "source_file", str)
            _field(entry, "label", str, None)
            endpoints = _field(entry, "endpoints", list)
        except PeerRejected as error:
            document.reject(entry, str(error))
            continue
        for endpoint in endpoints:
            url = endpoint.get("url") if isinstance(endpoint, dict) else endpoint
            document.add(url, lambda e=endpoint, w=where: _endpoint(e, w, made, now))  # type: ignore[misc]


def _endpoint(endpoint: object, where: dict[str, str], made: float | None, now: float) -> PublicPeer:
    url = _field(endpoint, "url", str)
    assert isinstance(endpoint, dict)
    for name in ("protocol", "host", "source_url"):
        _field(endpoint, name, str)
    _field(endpoint, "port", int)
    _field(endpoint, "normalized", bool)
    if not all(isinstance(note, str) for note in _field(endpoint, "annotations", list)):
        raise PeerRejected("`annotations` holds something that is not a string")
    peer = check_peer(url, **where, **_uptime(endpoint.get("uptime"), made, now))
    _check_parts(endpoint, "protocol", peer)
    query = _field(endpoint, "query", str, "").removeprefix("?")
    if query and _options(query) != _options(peer.url.partition("?")[2]):
        raise PeerRejected("`query` is not the URL's")
    return peer


def _uptime(uptime: object, made: float | None, now: float) -> dict[str, Any]:
    """Return what was measured; `made` is the document's Unix time, which counts where none of its own is given."""
    if uptime is None:
        return {}
    status = str(_field(uptime, "status", str, "")).lower()
    assert isinstance(uptime, dict)
    percent = _number(uptime, "uptime_7d_percent", least=0, most=100)
    if percent is None:
        percent = _percentage(_field(uptime, "uptime_7d_raw", str, ""))
    observed = _unix_time(_field(uptime, "observed_at", str, ""))
    measured = made if observed is None else observed
    if measured is None or not is_fresh(measured, now):
        return {}
    up = {"up": True, "online": True, "down": False, "offline": False}.get(status)
    return {"up": up, "uptime": percent, "measured": measured}


def _unix_time(text: str) -> float | None:
    """Return the Unix time of an ISO 8601 one, UTC unless it says otherwise; None for anything else."""
    try:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _options(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query, keep_blank_values=True))


def _percentage(text: str) -> float | None:
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        return None
    return value if 0 <= value <= 100 else None


def _read_own(document: Document, root: dict[str, Any]) -> None:
    document.form = "ygg"
    try:
        document.date = plain(_field(root, "date", str))
        peers = _field(root, "peers", list)
        count = _field(root, "count", int, len(peers))
    except PeerRejected as error:
        raise DocumentError(str(error)) from None
    if count != len(peers):
        raise DocumentError(f"`count` is not that of its {len(peers)} peers")
    for entry in peers:
        url = entry.get("url") if isinstance(entry, dict) else entry
        document.add(url, lambda e=entry: _own_peer(e))  # type: ignore[misc]


def _own_peer(entry: object) -> PublicPeer:
    url = _field(entry, "url", str)
    assert isinstance(entry, dict)
    where = {"country": place(_field(entry, "country", str)), "region": place(_field(entry, "region", str, ""))}
    key = None if entry.get("key") is None else check_key(entry["key"])
    peer = check_peer(url, **where, key=key)
    _check_parts(entry, "scheme", peer)
    return peer


def _check_parts(entry: dict[str, Any], scheme: str, peer: PublicPeer) -> None:
    """Refuse an entry whose parts contradict its URL; `scheme` is what its form calls that part."""
    parts: tuple[tuple[str, type, object, Callable[[Any], object]], ...] = (
        (scheme, str, peer.scheme, str.lower),
        ("host", str, peer.host, lambda host: plain_host(host.strip("[]"))),
        ("port", int, peer.port, int),
    )
    for name, kind, true, spelled in parts:
        if spelled(_field(entry, name, kind, true)) != true:
            raise PeerRejected(f"`{name}` is not the URL's {true}")


def _read_markdown(document: Document, text: str, country: str, region: str) -> None:
    document.form = "markdown"
    for url in _quoted_urls(text):
        document.add(url, lambda u=url: check_peer(u, country=country, region=region))  # type: ignore[misc]
    if not document.peers and not document.rejected and not text.lstrip().startswith("# "):
        raise DocumentError("neither a JSON object nor Markdown with a title or URLs marked as code")


def _quoted_urls(text: str) -> Iterator[str]:
    """Yield what is marked as code and looks like a URL: code spans, and the words of fenced blocks."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            else:
                yield from (word for word in (word.strip(_AROUND) for word in line.split()) if "://" in word)
        elif mark and not (mark[1][0] == "`" and "`" in line[mark.end() :]):  # that would be a code span
            fence = mark[1]
        else:
            yield from (quoted for quoted in map(str.strip, _code_spans(line)) if "://" in quoted)


def _code_spans(line: str) -> Iterator[str]:
    """Yield what a line's code spans hold, between runs of equally many back-ticks (CommonMark, 6.1) and of others."""
    parts = _TICKS.split(line)  # text, run, text, run, ...
    following: dict[int, int] = {}
    closing = [0] * len(parts)
    for index in range(len(parts) - 2, 0, -2):
        closing[index] = following.get(len(parts[index]), 0)
        following[len(parts[index])] = index
    index = 1
    while index < len(parts):
        if end := closing[index]:
            yield from parts[index + 1 : end : 2]  # no URL has back-ticks in it
        index = (end or index) + 2


def _field(holder: object, name: str, kind: type, default: object = _MISSING) -> Any:
    """Return a member of a JSON object; a missing or null one is `default`, or an error where there is none."""
    if not isinstance(holder, dict):
        raise PeerRejected("the entry is no object")
    value = holder.get(name)
    if value is None:
        if default is _MISSING:
            raise PeerRejected(f"`{name}` is missing")
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PeerRejected(f"`{name}` is not of type {kind.__name__}")
    return value


def _number(holder: dict[str, Any], name: str, *, least: float = -math.inf, most: float = math.inf) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PeerRejected(f"`{name}` is not a number")
    if not least <= value <= most or abs(value) > 1e18:
        raise PeerRejected(f"`{name}` is out of range")
    return float(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def shown(url: str) -> str:
    """Return a URL as logs may have it: what follows its `?`, and a user before its host, may be secret."""
    url = url.partition("?")[0]
    scheme = url[: url.find("://") + 3] if "://" in url else ""
    authority, slash, path = url[len(scheme) :].partition("/")
    return f"{scheme}{authority.rpartition('@')[2]}{slash}{path}"


def _escaped(entry: object) -> str:
    text = shown(entry) if isinstance(entry, str) else type(entry).__name__
    return text[:120].encode("unicode_escape").decode("ascii")
