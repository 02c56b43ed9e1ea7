"""ygg.apps.names: what strangers write."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.apps.names import MOST, printable, safe_name


@pytest.mark.parametrize(("claimed", "safe"), [
    ("report.pdf", "report.pdf"), ("übung.txt", "übung.txt"), ("a b.txt", "a b.txt"),
    ("../../etc/passwd", "passwd"), ("/etc/passwd", "passwd"), ("C:\\Windows\\x.dll", "x.dll"), ("..", "file"),
    (".", "file"), ("", "file"), ("a/", "file"), (".bashrc", "bashrc"), ("...x", "x"), ("x. .", "x"),
    ("con", "_con"), ("NUL.txt", "_NUL.txt"), ("com1", "_com1"), ("console", "console"),
    ("a:b", "a_b"), ("a\0b", "a_b"), ("a\nb", "a b"), ("\x1b[2Jx", "_[2Jx"), ("a\u202egpj.exe", "a_gpj.exe"),
    ("\ud800", "_"), ("e\u0301", "é"),
])  # fmt: skip
def test_a_name_is_one_in_the_folder(claimed: str, safe: str) -> None:
    assert safe_name(claimed) == safe


@given(st.text())
def test_whatever_is_claimed_it_is_a_plain_name(claimed: str) -> None:
    name = safe_name(claimed)
    assert name == os.path.basename(name)
    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert len(name.encode()) <= MOST + 1
    assert printable(name) == name
    assert safe_name(name) == name or unicodedata.normalize("NFC", name) != name


def test_a_long_name_keeps_its_suffix() -> None:
    assert safe_name("ä" * 300 + ".tar") == "ä" * 98 + ".tar"
    assert safe_name("ä" * 100_000 + ".tar") == "ä" * 100
    assert len(safe_name("x" * 300 + ".pdf")) == MOST
    assert safe_name("x" * 300 + ".pdf").endswith(".pdf")


@pytest.mark.parametrize(("text", "shown"), [
    ("plain, ü and 漢字", "plain, ü and 漢字"), ("\x1b[2J", "�[2J"), ("a\rb", "a�b"), ("\x9b2J", "�2J"),
    ("\u202eab", "�ab"), ("a\u2028b", "a�b"), ("\a\b", "��"), ("\ud800", "�"),
])  # fmt: skip
def test_nothing_controls_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
