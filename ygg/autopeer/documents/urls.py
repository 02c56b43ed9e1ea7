"""The form `urls`: URLs and nothing else, as a JSON array or a line each. It is what people write for themselves.

Lines that begin with `#`, and what follows one after a blank, are comments. Such a list names no countries.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ygg.autopeer.documents.document import Document
from ygg.autopeer.peer import check_peer

FORM = "urls"
"""What the form is called."""


def read(document: Document, urls: Iterable[object]) -> None:
    """Add these URLs to `document`."""
    document.form = FORM
    for url in urls:
        document.add(url, partial(check_peer, url, country=""))


def lines_of(text: str) -> list[str] | None:
    """Return the URLs of a text that has nothing but URLs, one a line, and comments; None for any other text."""
    lines = [line.split(" #")[0].strip() for line in text.splitlines()]
    urls = [line for line in lines if line and not line.startswith("#")]
    return urls if urls and all(map(_is_url, urls)) else None


def _is_url(line: str) -> bool:
    scheme, separator, _ = line.partition("://")
    return bool(separator) and scheme.replace("+", "").isalnum() and " " not in line and "`" not in line
