"""The table of figures: printed by each run, and kept in docs/performance.md as the golden figures have it."""

from pathlib import Path

from . import grid
from .flows import Figures
from .golden import Golden
from .link import Cell

DOCUMENT = Path(__file__).parents[3] / "docs" / "performance.md"
HEADER = "link (Mbit/s x ms, buffer…)     goodput    ideal  of ideal   resent   copies  timeouts    Jain  ideal's"
FENCE = "```\n"


def row(cell: Cell, now: Figures, best: Figures) -> str:
    """Return a line of the table."""
    return (f"{cell.name:<30} {now.goodput:>8.3f} {best.goodput:>8.3f} {now.goodput / best.goodput:>9.2f} "
            f"{now.resent:>8.2%} {now.copies:>8.2%} {now.timeouts:>9} {now.jain:>7.3f} {best.jain:>8.3f}")


def whole(golden: Golden) -> str:
    """Return the table of the whole grid; cells without golden figures are left out."""
    found = [(cell, golden.ours(cell), golden.ideal(cell)) for cell in grid.whole()]
    return "\n".join([HEADER, *(row(cell, ours, ideal) for cell, ours, ideal in found if ours and ideal)]) + "\n"


def documented(text: str) -> str:
    """Return the table that a document has."""
    return text[text.index(HEADER):].partition(FENCE)[0]


def update(golden: Golden) -> None:
    """Put the golden figures into the document."""
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(text.replace(documented(text), whole(golden)))
