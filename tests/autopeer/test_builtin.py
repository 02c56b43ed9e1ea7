"""ygg.autopeer.builtin and make_builtin: the compiled-in list, and how it is made."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ygg.autopeer.builtin import builtin_document, read_checkout
from ygg.autopeer.documents import DocumentError, parse_document
from ygg.autopeer.make_builtin import FIELDS, main

KEY = "0123456789abcdef" * 4


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "lists"
    for name, text in {
        "README.md": "`tcp://192.0.2.9:9`",
        "europe/germany.md": f"* `tls://[2001:db8::1]:443?key={KEY}`\n* `tcp://b.example:1`",
        "europe/france.md": "* `tcp://b.example:1`\n* `unix:///run/ygg.sock`",
        "asia/hong-kong.md": "* `quic://192.0.2.1:2`",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


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
    "words": (lambda page: page.write_text("just words"), "neither a JSON object nor Markdown"),
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


def test_made_list_leaves_no_page_out(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "asia" / "bad.md").write_text("just words")
    output = tmp_path / "out.json"
    with pytest.raises(SystemExit):
        main([str(checkout), "--date", "2026-06-09", "--output", str(output)])
    assert "asia/bad.md" in capsys.readouterr().err
    assert not output.exists()


def test_made_list_reads_back(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.json"
    assert main([str(checkout), "--date", "2026-06-09", "--output", str(output)]) == 0
    assert "3 peers of 2026-06-09, 1 duplicates, 1 left out" in capsys.readouterr().out
    root = json.loads(output.read_text())
    assert (root["count"], root["date"]) == (3, "2026-06-09")
    values = ("germany", "europe", f"tls://[2001:db8::1]:443?key={KEY}", "tls", "2001:db8::1", 443, KEY)
    assert root["peers"][2] == dict(zip(FIELDS, values, strict=True))
    assert parse_document(output.read_bytes(), now=0).peers == read_checkout(checkout).peers


def test_date_is_that_of_the_last_commit(checkout: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "Lists", "--date", "2020-01-02T03:04:05Z"], check=True,
                   env={"GIT_COMMITTER_DATE": "2020-01-02T03:04:05Z", "PATH": "/usr/bin:/bin"})  # fmt: skip
    output = tmp_path / "out.json"
    main([str(checkout), "--output", str(output)])
    assert json.loads(output.read_text())["date"] == "2020-01-02"


def test_date_must_come_from_somewhere(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(checkout), "--output", str(tmp_path / "out.json")])
