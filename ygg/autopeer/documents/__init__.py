"""Lists of public peers: the forms in use, told apart by their shape and not by where they came from.

`publicnodes`  the crawler's JSON: country page → URL → measurement
`yggpeers`     JSON with a schema version, sources, and peers with endpoints
`markdown`     the lists people edit: URLs in back-ticks or fenced blocks, one file a country
`ygg`          our own JSON, which `tools/builtin-peers` writes and the library carries
`urls`         URLs alone, in a JSON array or one a line: a list of one's own, which names no countries

`parse_document()` takes the bytes of a list, which are a stranger's, and gives a `Document` of checked peers. One of
none of these forms is refused as a whole with `DocumentError`. Within one, each entry stands alone: unknown fields are
ignored; a required one that is missing, one of the wrong type, or one that contradicts the entry's URL rejects that
entry with its reason. It does no IO, and serves the rest of `ygg.autopeer`.
"""

from ygg.autopeer.documents.document import (
    MAX_ENTRIES,
    MAX_PEERS,
    MAX_REASONS,
    Document,
    DocumentError,
    Rejection,
    shown,
)
from ygg.autopeer.documents.own import OWN_FORMAT
from ygg.autopeer.documents.parse import MAX_SIZE, parse_document

__all__ = [
    "MAX_ENTRIES",
    "MAX_PEERS",
    "MAX_REASONS",
    "MAX_SIZE",
    "OWN_FORMAT",
    "Document",
    "DocumentError",
    "Rejection",
    "parse_document",
    "shown",
]
