"""The form `yggpeers`: JSON with a schema version, sources, and peers with endpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from ygg.autopeer.documents.document import Document, DocumentError
from ygg.autopeer.documents.fields import check_parts, field, number
from ygg.autopeer.peer import PeerRejected, PublicPeer, check_peer, is_fresh, place, plain


def read(document: Document, root: dict[str, Any], now: float) -> None:
    """Add what the JSON says to `document`; `now` is in Unix seconds. Raises `DocumentError`."""
    document.form = "yggpeers"
    try:
        generated = field(root, "generated_at", str)
        field(root, "schema_version", str)
        sources = field(root, "sources", dict)
        for name in ("public_peers_repo", "public_peers_branch", "uptime_page"):
            field(sources, name, str)
        peers = field(root, "peers", list)
    except PeerRejected as error:
        raise DocumentError(str(error)) from None
    document.date, made = plain(generated), _unix_time(generated)
    for entry in peers:
        try:
            where = {"region": place(field(entry, "continent", str)), "country": place(field(entry, "country", str))}
            field(entry, "source_file", str)
            field(entry, "label", str, None)
            endpoints = field(entry, "endpoints", list)
        except PeerRejected as error:
            document.reject(entry, str(error))
            continue
        for endpoint in endpoints:
            url = endpoint.get("url") if isinstance(endpoint, dict) else endpoint
            document.add(url, partial(_endpoint, endpoint, where, made, now))


def _endpoint(endpoint: object, where: dict[str, str], made: float | None, now: float) -> PublicPeer:
    url = field(endpoint, "url", str)
    assert isinstance(endpoint, dict)
    for name in ("protocol", "host", "source_url"):
        field(endpoint, name, str)
    field(endpoint, "port", int)
    field(endpoint, "normalized", bool)
    if not all(isinstance(note, str) for note in field(endpoint, "annotations", list)):
        raise PeerRejected("`annotations` holds something that is not a string")
    peer = check_peer(url, **where, **_uptime(endpoint.get("uptime"), made, now))
    check_parts(endpoint, "protocol", peer)
    query = field(endpoint, "query", str, "").removeprefix("?")
    if query and _options(query) != _options(peer.url.partition("?")[2]):
        raise PeerRejected("`query` is not the URL's")
    return peer


def _uptime(uptime: object, made: float | None, now: float) -> dict[str, Any]:
    """Return what was measured; `made` is the document's Unix time, which counts where none of its own is given."""
    if uptime is None:
        return {}
    status = str(field(uptime, "status", str, "")).lower()
    assert isinstance(uptime, dict)
    percent = number(uptime, "uptime_7d_percent", least=0, most=100)
    if percent is None:
        percent = _percentage(field(uptime, "uptime_7d_raw", str, ""))
    observed = _unix_time(field(uptime, "observed_at", str, ""))
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
