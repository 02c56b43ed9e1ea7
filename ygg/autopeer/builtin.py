"""The compiled-in list of public peers, and the lists people edit that it is made from."""

from __future__ import annotations

import enum
import time
from importlib import resources
from pathlib import Path
from typing import Final

from ygg.autopeer.documents import Document, DocumentError, parse_document


class Builtin(enum.Enum):
    """The type of `BUILTIN`."""

    LIST = "builtin"


BUILTIN: Final = Builtin.LIST
"""The source that is the compiled-in list: there without a network, as old as the release."""


def builtin_document() -> Document:
    """Return the compiled-in list; its `date` is that of the lists it was made from."""
    data = resources.files("ygg.autopeer").joinpath("builtin.json").read_bytes()
    return parse_document(data, now=time.time())


def read_checkout(root: Path, *, allow_local: bool = False) -> Document:
    """Read a checkout of the Markdown lists: a folder a continent, a file a country. Raises `DocumentError`."""
    whole = Document("markdown")
    pages = sorted(root.glob("*/*.md"))
    if not pages:
        raise DocumentError(f"no Markdown lists in the folders of {root}")
    for page in pages:
        part = parse_document(page.read_bytes(), name=page.name, region=page.parent.name, now=0, allow_local=allow_local)
        whole.merge(part)
    return whole
