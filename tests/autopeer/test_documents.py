"""ygg.autopeer.documents and ygg.autopeer.peer: the forms of a list, and what is left out of one, with the reason."""

import json
import time
from typing import Any

import pytest

from ygg.autopeer.documents import (
    MAX_ENTRIES,
    MAX_PEERS,
    MAX_REASONS,
    MAX_SIZE,
    Document,
    DocumentError,
    parse_document,
    shown,
)
from ygg.autopeer.peer import FRESH, MAX_TEXT, PeerRejected, PublicPeer, check_peer, place
from ygg.url import host_port

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


def test_publicnodes() -> None:
    document = parse({"united-states.md": {f"tls://Host.example:443?key={KEY.upper()}": measured()}})
    assert document.form == "publicnodes"
    assert document.peers == [
        PublicPeer(
            url=f"tls://host.example:443?key={KEY.upper()}", scheme="tls", host="host.example", port=443,
            country="united states", key=KEY, up=True, response_ms=42, measured=NOW,
        )
    ]  # fmt: skip


def test_publicnodes_with_no_fields_but_the_url() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": {}}}).peers
    assert (peer.up, peer.response_ms, peer.key) == (None, None, None)


def test_stale_measurement_does_not_count() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured(updated=NOW - FRESH - 1)}}).peers
    assert (peer.up, peer.response_ms, peer.key) == (None, None, KEY)


def test_peer_that_is_down_has_no_response_time() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured(up=False)}}).peers
    assert (peer.up, peer.response_ms) == (False, None)


def test_measurement_grows_stale() -> None:
    (peer,) = parse({"germany.md": {"tcp://192.0.2.1:1": measured()}}).peers
    assert peer.as_of(NOW + FRESH) == peer
    assert peer.as_of(NOW + FRESH + 1).up is None


@pytest.mark.parametrize(
    ("measurement", "reason"),
    [
        ([], "the measurement is no object"),
        (measured(proto_minor=4), "speaks protocol 0.4, not 0.5"),
        (measured(up="yes"), "`up` is not of type bool"),
        (measured(response_ms="42"), "`response_ms` is not a number"),
        (measured(response_ms=-1), "`response_ms` is out of range"),
        (measured(updated=10**400), "`updated` is out of range"),
        (measured(updated="now"), "`updated` is not a number"),
        (measured(imported="now"), "`imported` is not a number"),
        (measured(last_seen=[]), "`last_seen` is not a number"),
        (measured(key="ab"), "the key is not 64 hex digits"),
        (measured(key=5), "the key is not 64 hex digits"),
        (measured(key=False), "the key is not 64 hex digits"),
    ],
)
def test_publicnodes_measurement_left_out(measurement: object, reason: str) -> None:
    document = parse({"germany.md": {"tcp://192.0.2.1:1": measurement, "tcp://192.0.2.2:1": measured()}})
    assert reasons(document) == [reason]
    assert [peer.host for peer in document.peers] == ["192.0.2.2"]


def test_measured_key_must_be_one_the_url_pins() -> None:
    pinned = f"tcp://192.0.2.1:1?key={'a' * 64}&key={KEY}"
    (peer,) = parse({"germany.md": {pinned: measured()}}).peers
    assert peer.key == KEY
    assert reasons(parse({"germany.md": {pinned: measured(key="b" * 64)}})) == ["the key is not one the URL pins"]


def test_publicnodes_with_members_of_another_kind() -> None:
    document = parse({"generated": 5, "germany.md": {"tcp://192.0.2.1:1": {}}, "$schema": "x"})
    assert (document.form, len(document.peers), document.rejected) == ("publicnodes", 1, 0)


def test_publicnodes_country_of_the_wrong_type() -> None:
    document = parse({"germany.md": [], "france.md": {"tcp://192.0.2.1:1": {}}})
    assert reasons(document) == ["the country's peers are no object"]
    assert len(document.peers) == 1


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


def test_markdown() -> None:
    text = """# Czech Republic peers

    * Prague, by [someone](https://example.org), `Peers: []`
      *  `tls://[2001:db8::1]:443` and `quic://192.0.2.1:65535`
    - ` ws://host.example:80/path `, not tcp://in.prose:1
    """
    document = parse_document(text.encode(), name="czech-republic.md", region="europe", now=NOW)
    assert [peer.url for peer in document.peers] == [
        "tls://[2001:db8::1]:443",
        "quic://192.0.2.1:65535",
        "ws://host.example:80/path",
    ]
    assert {(peer.country, peer.region) for peer in document.peers} == {("czech republic", "europe")}


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("``tcp://a.example:1``", "a"),
        ("`` `tcp://a.example:1` ``", "a"),
        ("`tcp://a.example:1``tcp://b.example:1`", "ab"),
        ("`` tcp://a.example:1 `` and ```tcp://b.example:1```, `tcp://c.example:1`", "abc"),
        ("`tcp://a.example:1 is open, `tcp://b.example:1`", ""),
        ("``tcp://a.example:1` is open, and `tcp://b.example:1` too: here `tcp://c.example:1`", ""),
        ("``tcp://a.example:1 is open, `tcp://b.example:1` is not", "b"),
        ("```\ntcp://a.example:1\ntls://b.example:1\n```\ntcp://prose.example:1 `tcp://c.example:1`", "abc"),
        ("```hjson\nPeers: [\n  \"tcp://a.example:1\",\n  'tls://b.example:1'\n]\n```", "ab"),
        ("~~~\n`tcp://a.example:1`\n```\ntcp://b.example:1\n~~~~\ntcp://prose.example:1", "ab"),
        ("````\ntcp://a.example:1\n```\ntcp://b.example:1\n````  \ntcp://prose.example:1", "ab"),
        ("* an item\n\n    ```\n    tcp://a.example:1\n    ```\n    tcp://prose.example:1", "a"),
        ("```\ntcp://a.example:1", "a"),
        ("```tcp://a.example:1``` in a line\ntcp://prose.example:1", "a"),
        ("```\ntcp://a.example:1\n```text\ntcp://b.example:1\n```\n", "ab"),
        ("```\r\ntcp://a.example:1\r\n```\r\n`tcp://b.example:1`\r\n", "ab"),
        ("no code\n", ""),
    ],
)
def test_markdown_code(text: str, hosts: str) -> None:
    assert "".join(peer.host[0] for peer in parse("# Peers\n" + text).peers) == hosts


@pytest.mark.parametrize(
    "text",
    [
        "".join("`" * length + "x" for length in range(1, 3000)),
        "`" * 4_000_000,
        "`" * 4_000_000 + "x`",
        "```\n" * 1_000_000,
        "`x" * 2_000_000,
    ],
    ids=["runs", "run", "no fence", "fences", "spans"],
)
def test_markdown_takes_time_by_its_length(text: str) -> None:
    start = time.perf_counter()
    assert parse("# Peers\n" + text).peers == []
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("start", ["[Peers](https://example.org)", "[1]", "[" * 100_000])
def test_markdown_may_begin_with_a_bracket(start: str) -> None:
    assert [peer.host for peer in parse(start + "\n* `tcp://192.0.2.1:1`").peers] == ["192.0.2.1"]


def test_markdown_list_may_be_empty() -> None:
    assert parse("# Latvia Peers\n").peers == []


def test_byte_order_mark() -> None:
    assert len(parse_document(b"\xef\xbb\xbf`tcp://192.0.2.1:1`", now=NOW).peers) == 1


def own(*entries: object, **fields: Any) -> dict[str, Any]:
    return {"format": "ygg-public-peers-1", "date": "2026-06-09", "count": len(entries), "peers": entries} | fields


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


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither a JSON object nor Markdown"),
        (b"<!doctype html><p>502 Bad Gateway", "neither a JSON object nor Markdown"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"germany.md": {', "not JSON"),
        (b"[]", "neither a JSON object nor Markdown"),
        (b"{}", "no known form"),
        (b'{"error": "busy"}', "no known form"),
        (b'{"germany.md": {"tcp://192.0.2.1:1": {"response_ms": NaN}}}', "NaN is no JSON number"),
        (b'{"a.md":' * 100_000, "nested too deeply"),
        (b"[" * 100_000, "neither a JSON object nor Markdown"),
        (b'{"a.md": ' + b"9" * 5000 + b"}", "not JSON"),
        (b" " * (MAX_SIZE + 1), "larger than"),
    ],
)
def test_refused_document(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse_document(data, now=NOW)


def test_duplicates_are_one_peer() -> None:
    urls = [f"tcp://192.0.2.1:1?n={number}" for number in range(5000)]
    document = parse({"germany.md": {url: {} for url in urls}, "france.md": {"TCP://192.0.2.1:1": {}}})
    assert (len(document.peers), document.duplicates) == (1, 5000)
    assert document.peers[0].country == "germany"


def test_number_of_peers_is_bounded() -> None:
    urls = [f"tcp://192.0.{number >> 8 & 255}.{number & 255}:{1 + (number >> 16)}" for number in range(MAX_PEERS + 70)]
    document = parse({"germany.md": {url: {} for url in urls}})
    assert (len(document.peers), document.rejected, len(document.rejections)) == (MAX_PEERS, 70, MAX_REASONS)


def test_number_of_entries_looked_at_is_bounded() -> None:
    urls = {f"tcp://192.0.2.1:1?n={number}": {} for number in range(MAX_ENTRIES)}
    document = parse({"germany.md": urls | {"tcp://192.0.2.2:1": {}}})
    assert (len(document.peers), document.duplicates) == (1, MAX_ENTRIES - 1)
    assert reasons(document) == [f"the document has more than {MAX_ENTRIES} entries"]


def test_rejection_is_fit_for_a_log() -> None:
    document = parse({"germany.md": {"tcp://evil\n\x1b[2Jhost:1" + "x" * 5000: {}}})
    (rejection,) = document.rejections
    assert rejection.entry.isprintable()
    assert len(rejection.entry) < 200
    (rejection,) = parse({"germany.md": {"tcp://host:1?priority=300&password=hidden": {}}}).rejections
    assert rejection.entry == "tcp://host:1"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("tcp://me:hidden@host:1/a@b?c", "tcp://host:1/a@b"),
        ("tcp://me:hidden@host:1/x://y", "tcp://host:1/x://y"),
        ("me:hidden@host:1", "host:1"),
        ("tcp://", "tcp://"),
    ],
)
def test_logs_leave_out_user_and_query(url: str, text: str) -> None:
    assert shown(url) == text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "not a string"),
        ("tcp://h:1/" + "x" * 2000, "longer than"),
        ("tcp://host name:1", "spaces, control"),
        ("tcp://host:1\n", "spaces, control"),
        ("tcp://h\u00f6st:1", "non-ASCII"),
        ("host.example:443", "scheme"),
        ("socks://127.0.0.1:9050/host.onion:1", "'socks' is not a public peer's"),
        ("unix:///run/ygg.sock", "'unix' is not a public peer's"),
        ("file:///etc/passwd", "'file' is not a public peer's"),
        ("tls://user:secret@host:1", "credentials"),
        ("tls://host", "no port"),
        ("tls://host:0", "no port"),
        ("tls://host:65536", "invalid port"),
        ("tls://:443", "neither a name nor an address"),
        ("tls://host..example:443", "neither a name nor an address"),
        ("tls://" + "a" * 64 + ":443", "neither a name nor an address"),
        ("tls://[fe80::1%25eth0]:443", "zone"),
        ("tls://0.0.0.0:443", "no unicast"),
        ("tls://[ff02::1]:443", "no unicast"),
        ("tls://[::ffff:0.0.0.0]:443", "no unicast"),
        ("tls://[::ffff:224.0.0.1]:443", "no unicast"),
        ("tls://255.255.255.255:443", "no unicast"),
        ("tls://240.0.0.1:443", "no unicast"),
        ("tls://[200::1]:443", "inside the overlay"),
        ("tls://[3ff:ffff::1]:443", "inside the overlay"),
        ("tls://host:443?key=12", "pinned public key is invalid"),
        ("tls://host:443?priority=256", "priority value is invalid"),
    ],
)
def test_refused_url(url: object, reason: str) -> None:
    with pytest.raises(PeerRejected, match=reason):
        check_peer(url, country="germany")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST.", "a.localhost",
     "169.254.169.254", "[fe80::1]", "[::ffff:169.254.1.1]"],
)  # fmt: skip
def test_host_of_this_machine_or_link_is_taken_only_where_allowed(host: str) -> None:
    data = f"`tcp://{host}:1` `tcp://192.168.0.1:1`".encode()
    document = parse_document(data, now=NOW)
    assert reasons(document) == ["the host is this machine's or link's own"]
    assert [peer.host for peer in document.peers] == ["192.168.0.1"]
    assert len(parse_document(data, now=NOW, allow_local=True).peers) == 2


def test_url_identity_ignores_case_query_and_empty_path() -> None:
    one = check_peer(f"TLS://Host.Example:443/?key={KEY}", country="germany")
    other = check_peer("tls://host.example:443", country="germany")
    assert one.identity == other.identity == "tls://host.example:443"


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("Host.Example.", "host.example"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("[::FFFF:c000:201]", "192.0.2.1"),
        ("192.0.2.1.", "192.0.2.1"),
    ],
)
def test_host_has_one_spelling(spelled: str, plain: str) -> None:
    peer = check_peer(f"tcp://{spelled}:01?a=B", country="germany")
    assert (peer.host, peer.identity) == (plain, f"tcp://{host_port(plain, 1)}")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0x7f000001", "1.2.3.4.5", "a.0x1", "300.0.0.1"])
def test_host_that_ends_in_a_number_is_an_address_in_full(host: str) -> None:
    with pytest.raises(PeerRejected, match="neither a name nor an address"):
        check_peer(f"tcp://{host}:1", country="germany")


def test_later_list_fills_in_what_the_earlier_left_open() -> None:
    one = PublicPeer("tcp://h:1", "tcp", "h", 1, "germany", uptime=0.0)
    other = PublicPeer("tcp://h:1", "tcp", "h", 1, "france", "europe", KEY, up=True, uptime=9.0)
    assert one.completed(other) == PublicPeer("tcp://h:1", "tcp", "h", 1, "germany", "europe", KEY, up=True, uptime=0.0)


def test_names_of_places() -> None:
    assert place("United-States.md") == place("united states") == place("UNITED_STATES") == "united states"


def test_names_of_places_are_fit_to_be_shown() -> None:
    assert place("ger\x1b[2Jmany\n \u202epeers\0") == "ger [2jmany peers"
    assert len(place("x" * 5000)) == MAX_TEXT


def test_date_is_fit_to_be_shown() -> None:
    root = {"format": "ygg-public-peers-1", "date": "2026\x1b[2J" + "x" * 5000, "peers": []}
    assert parse(root).date == ("2026 [2J" + "x" * 5000)[:MAX_TEXT]
    assert parse(yggpeers(endpoint(), generated_at="2026\n\n")).date == "2026"


def test_large_document_is_read_in_time() -> None:
    urls = [f"tls://host{number}.example:443?key={KEY}" for number in range(5000)]
    data = json.dumps({"germany.md": {url: measured() for url in urls}}).encode()
    start = time.process_time()
    document = parse_document(data, now=NOW)
    assert len(document.peers) == 5000
    assert time.process_time() - start < 5  # a tenth of this on a slow machine; quadratic work would take minutes
