"""The figures that were right when they were written down, and what counts as a regression."""

import json
from pathlib import Path

from .flows import Figures
from .link import Cell

FILE = Path(__file__).with_name("golden.json")
LESS_GOODPUT = 0.03         # of what it was
LESS_WITH_LOSS = 0.10       # the same where chance decides: one loss elsewhere changes all that follows
MORE_COPIES = 0.002         # of what is sent
MORE_TIMEOUTS = 3
LESS_FAIR = 0.03            # of Jain's index


class Golden:
    """Figures by a cell's name: ours as they were, and the ideal sender's."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[str, list[float]]] = json.loads(FILE.read_text()) if FILE.exists() else {}

    def ours(self, cell: Cell) -> Figures | None:
        """Return ours, or None for a cell never measured."""
        return self._get(cell, "ours")

    def ideal(self, cell: Cell) -> Figures | None:
        """Return the ideal sender's."""
        return self._get(cell, "ideal")

    def _get(self, cell: Cell, whose: str) -> Figures | None:
        found = self._cells.get(cell.name, {}).get(whose)
        if not found:
            return None
        goodput, resent, copies, timeouts, jain = found
        return Figures(goodput, resent, copies, int(timeouts), jain)

    def keep(self, cell: Cell, ours: Figures, ideal: Figures) -> None:
        """Note a cell's figures."""
        self._cells[cell.name] = {
            "ours": [round(figure, 4) for figure in ours], "ideal": [round(figure, 4) for figure in ideal]}

    def save(self) -> None:
        """Write the file."""
        lines = [f"{json.dumps(name)}: {json.dumps(cell)}" for name, cell in sorted(self._cells.items())]
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def worse(cell: Cell, now: Figures, before: Figures) -> list[str]:
    """Return in words what is worse than it was."""
    less = LESS_WITH_LOSS if cell.loss else LESS_GOODPUT
    found = {
        f"goodput {now.goodput:.3f}, was {before.goodput:.3f}": now.goodput < before.goodput * (1 - less),
        f"resent {now.resent:.2%}, was {before.resent:.2%}": now.resent > before.resent * 1.25 + MORE_COPIES,
        f"copies {now.copies:.2%}, were {before.copies:.2%}": now.copies > before.copies + MORE_COPIES,
        f"timeouts {now.timeouts}, were {before.timeouts}": now.timeouts > before.timeouts + MORE_TIMEOUTS,
        f"Jain {now.jain:.3f}, was {before.jain:.3f}": now.jain < before.jain - LESS_FAIR,
    }
    return [f"{cell.name}: {words}" for words, is_worse in found.items() if is_worse]
