"""Code, comments and pages say who does something, and call it by the field's word (docs/glossary.md)."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACES = ("ygg", "ygg_c", "tools", "examples", "fuzz", "docs")
SUFFIXES = (".py", ".pyx", ".pxd", ".pyi", ".md", "")

UNWANTED = re.compile(r"\b(nobody|somebody|someone|whoever|whomever|goodbye|upkeep|stray|fattest|barren)s?\b", re.I)
"""They leave open who is meant, or are pictures of what has a name."""


def test_none_is_unwanted() -> None:
    paths = [path for place in PLACES for path in (ROOT / place).rglob("*")
             if path.suffix in SUFFIXES and path.is_file() and "__pycache__" not in path.parts]
    assert len(paths) > 500
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in (*paths, *ROOT.glob("*.md"))}
    assert [(path.relative_to(ROOT).as_posix(), found[0]) for path, text in texts.items()
            for found in UNWANTED.finditer(text)] == []
