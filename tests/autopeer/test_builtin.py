"""ygg.autopeer.builtin and make_builtin: the compiled-in list, and how it is made."""

import os
from pathlib import Path

import pytest

from tests.autopeer.lists import KEY
from ygg.autopeer.builtin import builtin_document, read_checkout
from ygg.autopeer.documents import DocumentError


def test_compiled_in_list() -> None:
    document = builtin_document()
    assert document.form == "ygg"
    assert len(document.date) == 10
    assert len(document.peers) > 300
    assert (document.rejected, document.duplicates) == (0, 0)
    assert {"germany", "united states"} <= {peer.country for peer in document.peers}
    assert all(peer.region for peer in document.peers)


def test_checkout(checkout: Path) -> None:
    document = read_checkout(checkout)
    assert [(peer.url, peer.country, peer.region) for peer in document.peers] == [
        ("quic://192.0.2.1:2", "hong kong", "asia"),
        ("tcp://b.example:1", "france", "europe"),
        (f"tls://[2001:db8::1]:443?key={KEY}", "germany", "europe"),
    ]
    assert (document.rejected, document.duplicates) == (1, 1)


def test_folder_without_lists(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no Markdown lists"):
        read_checkout(tmp_path)


BAD_PAGES = {
    "words": (lambda page: page.write_text("just words"), "neither JSON, nor URLs one a line, nor Markdown"),
    "not UTF-8": (lambda page: page.write_bytes(b"# x \xff"), "not UTF-8"),
    "large": (lambda page: page.write_text("# Peers\n" * 1000), "larger than"),
    "a folder": (lambda page: page.mkdir(), "Is a directory"),
    "a pipe": (lambda page: os.mkfifo(page), "not a file"),
    "a loose end": (lambda page: page.symlink_to("nowhere"), "No such file"),
}


@pytest.mark.parametrize("kind", BAD_PAGES)
def test_bad_page_costs_no_other(kind: str, checkout: Path) -> None:
    make, reason = BAD_PAGES[kind]
    make(checkout / "asia" / "bad.md")
    document = read_checkout(checkout, limit=1000)
    assert len(document.peers) == 3
    assert [rejection.entry for rejection in document.rejections if reason in rejection.reason] == ["asia/bad.md"]
    with pytest.raises(DocumentError, match=f"asia/bad.md: .*{reason}"):
        read_checkout(checkout, limit=1000, strict=True)


def test_limit_is_that_of_all_pages_together(checkout: Path) -> None:
    assert read_checkout(checkout, limit=186, strict=True).rejected == 1
    document = read_checkout(checkout, limit=185)
    assert [peer.country for peer in document.peers] == ["hong kong", "france"]
    assert document.rejections[-1].entry == "europe/germany.md"


def test_empty_page_is_no_bad_page(checkout: Path) -> None:
    (checkout / "asia" / "latvia.md").write_text("# Latvia Peers\n")
    assert len(read_checkout(checkout, strict=True).peers) == 3
