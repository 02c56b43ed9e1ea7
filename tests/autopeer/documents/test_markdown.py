"""ygg.autopeer.documents.markdown: the lists people edit."""

import time

import pytest

from tests.autopeer.lists import NOW, parse
from ygg.autopeer.documents import parse_document


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
    start = time.process_time()
    assert parse("# Peers\n" + text).peers == []
    assert time.process_time() - start < 10


@pytest.mark.parametrize("start", ["[Peers](https://example.org)", "[1]", "[" * 100_000])
def test_markdown_may_begin_with_a_bracket(start: str) -> None:
    assert [peer.host for peer in parse(start + "\n* `tcp://192.0.2.1:1`").peers] == ["192.0.2.1"]


def test_markdown_list_may_be_empty() -> None:
    assert parse("# Latvia Peers\n").peers == []
