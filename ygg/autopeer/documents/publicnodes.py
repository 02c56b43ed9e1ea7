"""The form `publicnodes`: the crawler's JSON, country page → URL → measurement."""

from __future__ import annotations

from functools import partial
from typing import Any

from ygg.autopeer.documents.document import Document
from ygg.autopeer.documents.fields import field, number
from ygg.autopeer.peer import PeerRejected, PublicPeer, check_key, check_peer, is_fresh, place

PAGE = ".md"
"""How the names of country pages end."""
PROTO_MINOR = 5
"""The protocol's minor version: a peer of another cannot peer with us."""


def read(document: Document, root: dict[str, Any], now: float) -> None:
    """Add what the crawler's JSON says to `document`; `now` is in Unix seconds."""
    document.form = "publicnodes"
    for page, peers in root.items():
        if not page.endswith(PAGE):  # a field of a later version
            continue
        if not isinstance(peers, dict):
            document.reject(page, "the country's peers are no object")
            continue
        country = place(page)
        for url, measured in peers.items():
            document.add(url, partial(_peer, url, country, measured, now))


def _peer(url: str, country: str, measured: object, now: float) -> PublicPeer:
    return check_peer(url, country=country, **_measurement(measured, now))


def _measurement(measured: object, now: float) -> dict[str, Any]:
    if not isinstance(measured, dict):
        raise PeerRejected("the measurement is no object")
    minor = number(measured, "proto_minor")
    if minor is not None and minor != PROTO_MINOR:
        raise PeerRejected(f"speaks protocol 0.{minor:g}, not 0.{PROTO_MINOR}")
    up = field(measured, "up", bool, None)
    response = number(measured, "response_ms", least=0)
    updated, *_ = (number(measured, name) for name in ("updated", "imported", "last_seen"))
    fields: dict[str, Any] = {}
    if measured.get("key") not in (None, ""):
        fields["key"] = check_key(measured["key"])
    if updated is not None and is_fresh(updated, now):
        # a peer that is down keeps the response time of its last good reply
        fields.update(up=up, response_ms=response if up else None, measured=updated)
    return fields
