"""The compiled-in list of public peers, and the lists people edit that it is made from."""

from __future__ import annotations

import enum
import time
from importlib import resources
from pathlib import Path
from typing import Final

from ygg.autopeer.documents import MAX_SIZE, Document, DocumentError, parse_document
from ygg.autopeer.files import read_file


class Builtin(enum.Enum):
    """The type of `BUILTIN`."""

    LIST = "builtin"
    """The name by which the list is a source."""


BUILTIN: Final = Builtin.LIST
"""The source that is the compiled-in list: there without a network, as old as the release."""


def builtin_document() -> Document:
    """Return the compiled-in list; its `date` is that of the lists it was made from."""
    data = resources.files("ygg.autopeer").joinpath("builtin.json").read_bytes()
    return parse_document(data, now=time.time())


def read_checkout(
    root: Path, *, limit: int = MAX_SIZE, allow_local: bool = False, strict: bool = False
) -> Document:
    """Read a checkout of the Markdown lists: a folder a continent, a file a country.

    `limit` is in bytes, for all pages together. A page that cannot be read, or that is no list, is left out and noted;
    if `strict`, it is an error. Raises `DocumentError`.
    """
    whole = Document("markdown")
    pages = sorted(root.glob("*/*.md"))
    if not pages:
        raise DocumentError(f"no Markdown lists in the folders of {root}")
    for page in pages:
        region, name = page.parent.name, page.name
        try:
            data = read_file(page, limit)
            whole.merge(parse_document(data, name=name, region=region, now=0, allow_local=allow_local))
        except (DocumentError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if strict:
                raise DocumentError(f"{region}/{name}: {reason}") from error
            whole.reject(f"{region}/{name}", reason)
        else:
            limit -= len(data)
    return whole
