"""ygg.autopeer.documents.yggpeers: JSON with sources and endpoints."""

from typing import Any

import pytest

from tests.autopeer.lists import KEY, NOW, OBSERVED, endpoint, parse, reasons, yggpeers
from ygg.autopeer.documents import DocumentError
from ygg.autopeer.peer import FRESH


def test_yggpeers() -> None:
    uptime = {"status": "up", "uptime_7d_percent": 99.5, "observed_at": OBSERVED}
    document = parse(yggpeers(endpoint(uptime=uptime), schema_version="9", later_field=1))
    assert (document.form, document.date) == ("yggpeers", "2026-06-09T00:00:00Z")
    (peer,) = document.peers
    assert (peer.country, peer.region, peer.key, peer.up, peer.uptime) == ("germany", "europe", KEY, True, 99.5)


def test_yggpeers_uptime_as_text() -> None:
    (peer,) = parse(yggpeers(endpoint(uptime={"uptime_7d_raw": "98.25%", "observed_at": OBSERVED}))).peers
    assert peer.uptime == 98.25


@pytest.mark.parametrize(
    ("observed", "generated", "counts"),
    [
        (OBSERVED, "2001-01-01T00:00:00Z", True),
        (None, OBSERVED, True),
        (None, "2023-11-14T23:13:20.5+01:00", True),
        (None, "2023-11-14T22:13:20", True),
        ("2023-11-13T22:13:19Z", OBSERVED, False),
        (None, "2001-01-01T00:00:00Z", False),
        (None, "2030-01-01T00:00:00Z", False),
        (None, "some day", False),
        (None, "0001-01-01T00:00:00+23:59", False),
    ],
)
def test_yggpeers_uptime_counts_for_a_day(observed: str | None, generated: str, counts: bool) -> None:
    uptime = {"status": "up", "uptime_7d_percent": 99.5, "observed_at": observed}
    (peer,) = parse(yggpeers(endpoint(uptime=uptime), generated_at=generated)).peers
    assert (peer.up, peer.uptime) == ((True, 99.5) if counts else (None, None))
    later = peer.as_of(NOW + FRESH + 2)
    assert (later.up, later.uptime) == (None, None)


@pytest.mark.parametrize("missing", ["schema_version", "generated_at", "sources", "peers"])
def test_yggpeers_without_a_required_member(missing: str) -> None:
    with pytest.raises(DocumentError):
        parse(yggpeers(endpoint(), **{missing: None}))


@pytest.mark.parametrize("missing", ["url", "protocol", "host", "port", "source_url", "normalized", "annotations"])
def test_yggpeers_endpoint_without_a_required_member(missing: str) -> None:
    document = parse(yggpeers(endpoint(**{missing: None}), endpoint(url="tls://host.example:443", query=None)))
    assert reasons(document) == [f"`{missing}` is missing"]
    assert len(document.peers) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"port": True}, "`port` is not of type int"),
        ({"port": 444}, "`port` is not the URL's 443"),
        ({"port": 10**400}, "`port` is not the URL's 443"),
        ({"protocol": "tcp"}, "`protocol` is not the URL's tls"),
        ({"host": "other.example"}, "`host` is not the URL's host.example"),
        ({"query": "sni=a"}, "`query` is not the URL's"),
        ({"query": 1}, "`query` is not of type str"),
        ({"uptime": {"observed_at": 5}}, "`observed_at` is not of type str"),
        ({"annotations": [1]}, "`annotations` holds something that is not a string"),
        ({"uptime": 5}, "the entry is no object"),
        ({"uptime": {"uptime_7d_percent": 101}}, "`uptime_7d_percent` is out of range"),
        ({"uptime": {"status": 1}}, "`status` is not of type str"),
    ],
)
def test_yggpeers_endpoint_left_out(fields: dict[str, Any], reason: str) -> None:
    assert reasons(parse(yggpeers(endpoint(**fields)))) == [reason]


def test_yggpeers_parts_may_be_spelled_otherwise() -> None:
    url = f"tls://[2001:db8::1]:443?sni=a%62&key={KEY}"
    parts = {"protocol": "TLS", "host": "[2001:DB8::1]", "query": f"?key={KEY}&sni=ab"}
    unsaid = endpoint(url="tls://host.example:443?sni=a", query=None)
    assert len(parse(yggpeers(endpoint(url=url, **parts), unsaid)).peers) == 2


@pytest.mark.parametrize("entry", [None, 5, "peer", {}, {"continent": "a", "country": 3}])
def test_yggpeers_entry_of_the_wrong_type(entry: object) -> None:
    document = parse(yggpeers(peers=[entry]))
    assert (document.peers, document.rejected) == ([], 1)
