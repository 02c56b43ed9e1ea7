"""The form `markdown`: the lists people edit, with URLs in back-ticks or fenced blocks, one file a country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from ygg.autopeer.documents.document import Document, DocumentError
from ygg.autopeer.peer import check_peer

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_TICKS = re.compile(r"(`+)")
_AROUND = "`\"',<>;"  # what a URL in a block may be set in


def read(document: Document, text: str, country: str, region: str) -> None:
    """Add the URLs that a page marks as code to `document`. Raises `DocumentError` for what is no such page."""
    document.form = "markdown"
    for url in _quoted_urls(text):
        document.add(url, partial(check_peer, url, country=country, region=region))
    if not document.peers and not document.rejected and not text.lstrip().startswith("# "):
        raise DocumentError("neither JSON, nor URLs one a line, nor Markdown with a title or URLs marked as code")


def _quoted_urls(text: str) -> Iterator[str]:
    """Yield what is marked as code and looks like a URL: code spans, and the words of fenced blocks."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            else:
                yield from (word for word in (word.strip(_AROUND) for word in line.split()) if "://" in word)
        elif mark and not (mark[1][0] == "`" and "`" in line[mark.end() :]):  # that would be a code span
            fence = mark[1]
        else:
            yield from (quoted for quoted in map(str.strip, _code_spans(line)) if "://" in quoted)


def _code_spans(line: str) -> Iterator[str]:
    """Yield what a line's code spans hold, between runs of equally many back-ticks (CommonMark, 6.1) and of others."""
    parts = _TICKS.split(line)  # text, run, text, run, ...
    following: dict[int, int] = {}
    closing = [0] * len(parts)
    for index in range(len(parts) - 2, 0, -2):
        closing[index] = following.get(len(parts[index]), 0)
        following[len(parts[index])] = index
    index = 1
    while index < len(parts):
        if end := closing[index]:
            yield from parts[index + 1 : end : 2]  # no URL has back-ticks in it
        index = (end or index) + 2
