"""Which library does what on the overlay, by the tests that show it: the table of docs/integrations.md."""

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from tests.aio import LOOPS

T = TypeVar("T", bound=Callable[..., object])

COLUMNS = ("client", "server", "TLS")
THREADS = ("threads",)
"""Where blocking libraries run, in the place of event loops."""
TRIO = ("trio",)
"""Likewise libraries for trio."""

_shown: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
_lines: dict[tuple[str, str], int] = {}


def shows(consumer: str, way: str, *columns: str, lines: int, loops: tuple[str, ...] = LOOPS) -> Callable[[T], T]:
    """Mark a test that shows that `consumer` works in these `columns`, on these `loops`, by `way`, in so many lines.

    `loops` are those of `LOOPS`, `THREADS` or `TRIO`.
    """
    assert set(columns) <= set(COLUMNS)

    def mark(test: T) -> T:
        row = _shown[consumer, way]
        for column in columns:
            row[column] |= set(loops)
        assert _lines.setdefault((consumer, way), lines) == lines
        return test

    return mark


def table() -> str:
    """Return the table in Markdown."""
    rows = ["| library | by | client | server | TLS | lines |", "|---|---|---|---|---|---|"]
    for (consumer, way), row in sorted(_shown.items(), key=lambda item: (item[0][0].lower(), item[0][1])):
        where = (*LOOPS, *THREADS, *TRIO)
        cells = [", ".join(one for one in where if one in row[column]) or "–" for column in COLUMNS]
        rows.append(f"| {consumer} | {way} | {' | '.join(cells)} | {_lines[consumer, way]} |")
    return "\n".join(rows) + "\n"
