"""Runs the grid, prints it beside the ideal sender, and compares it with the golden figures."""

from collections.abc import Iterable

from . import ideal
from .flows import Figures, Run
from .golden import Golden, worse
from .link import Cell

SEEDS = 3       # runs of a cell with random loss, which are averaged
HEADER = "link (Mbit/s x ms, buffer…)     goodput    ideal  of ideal   resent   copies  timeouts    Jain  ideal's"


class Regression(Exception):
    """A cell is worse than it was."""


def average(runs: list[Figures]) -> Figures:
    """Return the mean of several runs."""
    count = len(runs)
    sums = [sum(figures) for figures in zip(*runs, strict=True)]
    return Figures(sums[0] / count, sums[1] / count, sums[2] / count, round(sums[3] / count), sums[4] / count)


def ours(cell: Cell, congestion: str = "cubic") -> Figures:
    """Return what the stack does on a link."""
    return average([Run(cell, congestion, seed).run() for seed in range(SEEDS if cell.loss else 1)])


def ideals(cell: Cell) -> Figures:
    """Return what an ideal sender does there."""
    return average([ideal.run(cell, seed) for seed in range(SEEDS if cell.loss else 1)])


def row(cell: Cell, now: Figures, best: Figures) -> str:
    """Return a line of the table."""
    return (f"{cell.name:<30} {now.goodput:>8.3f} {best.goodput:>8.3f} {now.goodput / best.goodput:>9.2f} "
            f"{now.resent:>8.2%} {now.copies:>8.2%} {now.timeouts:>9} {now.jain:>7.3f} {best.jain:>8.3f}")


def lossy(cells: Iterable[Cell], *, update: bool = False, congestion: str = "cubic") -> dict[str, float]:
    """Measure cells; `Regression` when one is worse than the golden figures, which `update` replaces."""
    golden, regressions, figures = Golden(), [], {}
    clean: list[float] = []
    lost: list[float] = []
    copies: list[float] = []
    print(HEADER)
    for cell in cells:
        now, before = ours(cell, congestion), golden.ours(cell)
        best = ideals(cell) if update else golden.ideal(cell) or ideals(cell)
        print(row(cell, now, best), flush=True)
        if update:
            golden.keep(cell, now, best)
        elif before is not None:
            regressions += worse(cell, now, before)
        share = now.goodput / best.goodput
        (lost if cell.loss else clean).append(share)
        copies.append(now.copies)
    if update:
        golden.save()
    if regressions:
        raise Regression("\n".join(["worse than the golden figures:", *regressions]))
    figures["lossy_clean_least_of_ideal"] = min(clean, default=0.0)
    figures["lossy_loss_least_of_ideal"] = min(lost, default=0.0)
    figures["lossy_loss_most_of_ideal"] = max(lost, default=0.0)
    figures["lossy_most_copies_percent"] = 100 * max(copies, default=0.0)
    return figures
