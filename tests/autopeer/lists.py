"""Lists of public peers for tests: one document of each JSON form, and what is read of it."""

import json
from typing import Any

from ygg.autopeer.documents import Document, parse_document

NOW = 1_700_000_000.0
KEY = "0123456789abcdef" * 4
OBSERVED = "2023-11-14T22:13:20Z"  # NOW


def parse(root: object, name: str = "") -> Document:
    data = root.encode() if isinstance(root, str) else json.dumps(root).encode()
    return parse_document(data, name=name, now=NOW)


def reasons(document: Document) -> list[str]:
    return [rejection.reason for rejection in document.rejections]


def measured(**fields: Any) -> dict[str, Any]:
    times = {"imported": NOW, "updated": NOW, "last_seen": NOW}
    return {"up": True, "key": KEY, **times, "proto_minor": 5, "response_ms": 42} | fields


def endpoint(**fields: Any) -> dict[str, Any]:
    whole = {
        "url": f"tls://host.example:443?key={KEY}", "protocol": "tls", "host": "host.example", "port": 443,
        "query": f"key={KEY}", "source_url": "https://lists.example/germany.md", "normalized": True, "annotations": [],
    }  # fmt: skip
    return {name: value for name, value in (whole | fields).items() if value is not None}


def yggpeers(*endpoints: object, **fields: Any) -> dict[str, Any]:
    peer = {"continent": "Europe", "country": "Germany", "source_file": "germany.md", "endpoints": list(endpoints)}
    whole = {
        "schema_version": "1",
        "generated_at": "2026-06-09T00:00:00Z",
        "sources": {"public_peers_repo": "a", "public_peers_branch": "b", "uptime_page": "c"},
        "peers": [peer],
    }
    return {name: value for name, value in (whole | fields).items() if value is not None}


def own(*entries: object, **fields: Any) -> dict[str, Any]:
    return {"format": "ygg-public-peers-1", "date": "2026-06-09", "count": len(entries), "peers": entries} | fields
