"""Whatever a peer list holds, reading it gives peers that pass their own checks, or a DocumentError; nothing else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ygg.autopeer.documents import Document, DocumentError, parse_document
from ygg.autopeer.make_builtin import render
from ygg.autopeer.peer import SCHEMES, check_peer
from ygg.url import PeerURL

KEY = "0123456789abcdef" * 4
NOW = 1_700_000_000.0

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
hosts = st.sampled_from(["a.example", "A.Example", "192.0.2.1", "[2001:db8::1]", "[fe80::1%25e]", "[200::1]"]) | texts
urls = (
    st.builds(
        "{}://{}:{}{}{}".format,
        st.sampled_from(["tcp", "TLS", "quic", "ws", "wss", "socks", "unix", "file"]),
        hosts,
        st.integers(-1, 65536),
        st.sampled_from(["", "/", "/path", "/%2f"]),
        st.sampled_from(["", "?", f"?key={KEY}", "?key=1", "?priority=300", "?sni=a&password=b", "?=&&"]),
    )
    | texts
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what belongs in a place, and now and then anything at all."""
    return st.integers(0, 7).flatmap(lambda number: values if number == 0 else good)


def members(required: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return objects with most of these members."""
    return mostly(st.fixed_dictionaries({}, optional={name: mostly(good) for name, good in required.items()}))


numbers = st.integers(-1, 2**70) | st.floats(allow_nan=False) | st.just(NOW)
measurements = members({
    "up": st.booleans(), "key": st.just(KEY), "updated": numbers, "proto_minor": st.just(5), "response_ms": numbers,
})  # fmt: skip
publicnodes = st.dictionaries(
    st.sampled_from(["germany.md", "united-states.md"]) | texts.map(lambda name: name + ".md"),
    mostly(st.dictionaries(urls, measurements, max_size=5)), max_size=3,
)  # fmt: skip
times = st.datetimes().map(lambda time: time.isoformat()) | texts
uptimes = members({
    "status": texts, "uptime_7d_percent": numbers, "uptime_7d_raw": st.just("97%") | texts,
    "observed_at": times,
})  # fmt: skip
endpoints = members({
    "url": urls, "protocol": texts, "host": texts, "port": st.integers(0, 65536), "source_url": texts,
    "normalized": st.booleans(), "annotations": st.lists(texts, max_size=2), "uptime": uptimes, "query": texts,
})  # fmt: skip
entries = members({
    "continent": texts, "country": texts, "source_file": texts, "label": texts,
    "endpoints": st.lists(endpoints, max_size=4),
})  # fmt: skip
sources = st.just({"public_peers_repo": "", "public_peers_branch": "", "uptime_page": ""})
yggpeers = st.fixed_dictionaries({
    "schema_version": mostly(texts), "generated_at": mostly(times), "sources": mostly(sources),
    "peers": mostly(st.lists(entries, max_size=4)),
})  # fmt: skip
own = st.fixed_dictionaries({
    "format": st.just("ygg-public-peers-1"), "date": mostly(texts),
    "peers": mostly(st.lists(members({
        "url": urls, "country": texts, "region": texts, "scheme": texts, "host": hosts, "port": st.integers(),
        "key": st.just(KEY),
    }), max_size=4)),
})  # fmt: skip


def parse(data: bytes) -> Document | None:
    try:
        document = parse_document(data, name="germany.md", now=NOW)
    except DocumentError:
        return None
    for peer in document.peers:
        assert peer.scheme in SCHEMES
        assert 0 < peer.port < 65536
        assert peer.url.isascii()
        assert peer.url.isprintable()
        url = PeerURL.parse(peer.url)
        assert (url.scheme, url.host, url.port, url.userinfo) == (peer.scheme, peer.host, peer.port, "")
        assert peer.identity == url.identity
        assert check_peer(peer.url, country=peer.country).url == peer.url
        assert peer.key is None or len(bytes.fromhex(peer.key)) == 32
        assert peer.uptime is None or 0 <= peer.uptime <= 100
        assert peer.response_ms is None or peer.response_ms >= 0
    assert len({peer.identity for peer in document.peers}) == len(document.peers)
    assert len(document.rejections) <= document.rejected
    for rejection in document.rejections:
        assert rejection.entry.isprintable()
        assert rejection.reason
    return document


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    parse(data)


@given(values)
def test_arbitrary_json(value: object) -> None:
    parse(json.dumps(value).encode())


@given(publicnodes)
def test_publicnodes(root: object) -> None:
    assert not root or parse(json.dumps(root).encode()) or "NaN" in json.dumps(root) or "Infinity" in json.dumps(root)


@given(yggpeers)
def test_yggpeers(root: object) -> None:
    parse(json.dumps(root).encode())


@given(own)
def test_own_form(root: object) -> None:
    parse(json.dumps(root).encode())


@given(st.lists(urls | texts), st.sampled_from(["* `{}`", "`{}` and ", "{}", "``{}``", "`{}"]))
def test_markdown(quoted: list[str], form: str) -> None:
    assert parse(("# Peers\n" + "\n".join(form.format(text) for text in quoted)).encode()) is not None


@given(st.one_of(publicnodes, yggpeers), st.integers(0, 400), st.binary(max_size=3))
def test_damaged_json(root: object, position: int, patch: bytes) -> None:
    data = json.dumps(root).encode()
    parse(data[:position] + patch + data[position + len(patch) :])
    parse(data[:position])


@given(publicnodes)
def test_what_is_written_in_our_own_form_reads_back(root: object) -> None:
    document = parse(json.dumps(root).encode())
    if document is None:
        return
    again = parse(render(document.peers, "2026-06-09").encode())
    assert again is not None
    assert [(peer.url, peer.country) for peer in again.peers] == [(peer.url, peer.country) for peer in document.peers]
