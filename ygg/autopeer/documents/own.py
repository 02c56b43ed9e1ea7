"""The form `ygg`: our own JSON, which `tools/builtin-peers` writes and the library carries."""

from __future__ import annotations

from functools import partial
from typing import Any

from ygg.autopeer.documents.document import Document, DocumentError
from ygg.autopeer.documents.fields import check_parts, field
from ygg.autopeer.peer import PeerRejected, PublicPeer, check_key, check_peer, place, plain

OWN_FORMAT = "ygg-public-peers-1"
"""The value of `format` that marks our own form."""


def read(document: Document, root: dict[str, Any]) -> None:
    """Add what our JSON says to `document`. Raises `DocumentError`."""
    document.form = "ygg"
    try:
        document.date = plain(field(root, "date", str))
        peers = field(root, "peers", list)
        count = field(root, "count", int, len(peers))
    except PeerRejected as error:
        raise DocumentError(str(error)) from None
    if count != len(peers):
        raise DocumentError(f"`count` is not that of its {len(peers)} peers")
    for entry in peers:
        url = entry.get("url") if isinstance(entry, dict) else entry
        document.add(url, partial(_peer, entry))


def _peer(entry: object) -> PublicPeer:
    url = field(entry, "url", str)
    assert isinstance(entry, dict)
    where = {"country": place(field(entry, "country", str)), "region": place(field(entry, "region", str, ""))}
    key = None if entry.get("key") is None else check_key(entry["key"])
    peer = check_peer(url, **where, key=key)
    check_parts(entry, "scheme", peer)
    return peer
