"""ygg.autopeer.documents.document: what is kept of a list, how much, and what is told of the rest."""

import pytest

from tests.autopeer.lists import endpoint, parse, reasons, yggpeers
from ygg.autopeer.documents import MAX_ENTRIES, MAX_PEERS, MAX_REASONS, shown
from ygg.autopeer.peer import MAX_TEXT


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


def test_date_is_fit_to_be_shown() -> None:
    root = {"format": "ygg-public-peers-1", "date": "2026\x1b[2J" + "x" * 5000, "peers": []}
    assert parse(root).date == ("2026 [2J" + "x" * 5000)[:MAX_TEXT]
    assert parse(yggpeers(endpoint(), generated_at="2026\n\n")).date == "2026"
