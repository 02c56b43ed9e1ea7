"""ygg.autopeer.documents.parse: which form a list has, and what is none."""

import json
import time

import pytest

from tests.autopeer.lists import KEY, NOW, measured
from ygg.autopeer.documents import MAX_SIZE, DocumentError, parse_document


def test_byte_order_mark() -> None:
    assert len(parse_document(b"\xef\xbb\xbf`tcp://192.0.2.1:1`", now=NOW).peers) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither JSON, nor URLs one a line, nor Markdown"),
        (b"<!doctype html><p>502 Bad Gateway", "neither JSON, nor URLs one a line, nor Markdown"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"germany.md": {', "not JSON"),
        (b"[]", "an empty array"),
        (b"{}", "no known form"),
        (b'{"error": "busy"}', "no known form"),
        (b'{"germany.md": {"tcp://192.0.2.1:1": {"response_ms": NaN}}}', "NaN is no JSON number"),
        (b'{"a.md":' * 100_000, "nested too deeply"),
        (b"[" * 100_000 + b"]", "nested too deeply"),
        (b"[1, ]", "not JSON"),
        (b"[" * 100_000, "neither JSON, nor URLs one a line, nor Markdown"),
        (b'{"a.md": ' + b"9" * 5000 + b"}", "not JSON"),
        (b" " * (MAX_SIZE + 1), "larger than"),
    ],
)
def test_refused_document(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse_document(data, now=NOW)


def test_large_document_is_read_in_time() -> None:
    urls = [f"tls://host{number}.example:443?key={KEY}" for number in range(5000)]
    data = json.dumps({"germany.md": {url: measured() for url in urls}}).encode()
    start = time.process_time()
    document = parse_document(data, now=NOW)
    assert len(document.peers) == 5000
    assert time.process_time() - start < 5  # a tenth of this on a slow machine; quadratic work would take minutes
