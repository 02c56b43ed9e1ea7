"""ygg.autopeer.make_builtin: how the compiled-in list is made."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.autopeer.lists import KEY
from ygg.autopeer.builtin import read_checkout
from ygg.autopeer.documents import parse_document
from ygg.autopeer.make_builtin import FIELDS, main


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
