"""Telling the form of a list by its shape, whichever source it came from."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ygg.autopeer.documents import markdown, own, publicnodes, urls, yggpeers
from ygg.autopeer.documents.document import Document, DocumentError
from ygg.autopeer.peer import place

MAX_SIZE = 8 << 20
"""Largest document read, in bytes; the crawler's has about 100 KiB."""


def parse_document(
    data: bytes, *, name: str = "", region: str = "", now: float, allow_local: bool = False
) -> Document:
    """Read a list of public peers, whichever form it has.

    `name` is the file's or URL's last part, which a Markdown list takes its country from, and `region` its folder's;
    `now` is in Unix seconds, against which measurements are fresh or stale. `allow_local` takes peers on this machine
    and its links too, which no stranger's list has any business with. Raises `DocumentError`.
    """
    if len(data) > MAX_SIZE:
        raise DocumentError(f"larger than {MAX_SIZE} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    document = Document("", allow_local=allow_local)
    first = text.lstrip()[:1]
    if first == "{":
        _read_object(document, _json(text), now)
    elif first == "[" and text.rstrip().endswith("]"):
        urls.read(document, _json(text) or _refuse_empty())
    elif (lines := urls.lines_of(text)) is not None:
        urls.read(document, lines)
    else:
        markdown.read(document, text, place(name), place(region))
    return document


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise DocumentError("not JSON: nested too deeply") from None
    except ValueError as error:
        raise DocumentError(f"not JSON: {error}") from None


def _refuse_empty() -> NoReturn:
    raise DocumentError("an empty array")


def _read_object(document: Document, root: dict[str, Any], now: float) -> None:
    if root.get("format") == own.OWN_FORMAT:
        own.read(document, root)
    elif "schema_version" in root:
        yggpeers.read(document, root, now)
    elif any(page.endswith(publicnodes.PAGE) for page in root):
        publicnodes.read(document, root, now)
    else:
        raise DocumentError("JSON of no known form")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
