"""ygg.autopeer.documents.own: our own JSON."""

from typing import Any

import pytest

from tests.autopeer.lists import KEY, own, parse, reasons
from ygg.autopeer.documents import DocumentError


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scheme": "tcp"}, "`scheme` is not the URL's tls"),
        ({"scheme": 5}, "`scheme` is not of type str"),
        ({"host": "other.example"}, "`host` is not the URL's host.example"),
        ({"port": 444}, "`port` is not the URL's 443"),
        ({"port": "443"}, "`port` is not of type int"),
        ({"key": "b" * 64}, "the key is not one the URL pins"),
        ({"key": 5}, "the key is not 64 hex digits"),
    ],
)
def test_own_entry_that_contradicts_its_url(fields: dict[str, Any], reason: str) -> None:
    entry = {"country": "germany", "url": f"tls://host.example:443?key={KEY}"}
    document = parse(own(entry | fields, {"country": "germany", "url": "tls://host.example:443", "key": KEY.upper()}))
    assert reasons(document) == [reason]
    assert [peer.key for peer in document.peers] == [KEY]


@pytest.mark.parametrize(("count", "reason"), [(3, "`count` is not that of its 2 peers"), ("2", "not of type int")])
def test_own_form_that_is_not_whole(count: object, reason: str) -> None:
    entries = [{"country": "germany", "url": f"tcp://h:{port}"} for port in (1, 2)]
    with pytest.raises(DocumentError, match=reason):
        parse(own(*entries, count=count))


def test_own_form() -> None:
    entry = {"country": "germany", "region": "europe", "url": "tcp://192.0.2.1:1", "scheme": "tcp", "later": None}
    document = parse(own(entry, {}, 7))
    assert (document.form, document.date, len(document.peers)) == ("ygg", "2026-06-09", 1)
    assert reasons(document) == ["`url` is missing", "the entry is no object"]
