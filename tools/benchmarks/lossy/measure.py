"""Runs the grid, prints it beside the ideal sender, and compares it with the golden figures."""

from collections.abc import Iterable

from . import ideal, table
from .flows import Figures, Run
from .golden import Golden, worse
from .link import Cell

SEEDS = 3               # runs of a cell with random loss, which are averaged
SEEDS_LONG = 12         # the same where round trips are long: a run has few losses, and chance decides
LONG = 0.2              # seconds


class Regression(Exception):
    """A cell is worse than it was."""


def average(runs: list[Figures]) -> Figures:
    """Return the mean of several runs."""
    count = len(runs)
    sums = [sum(figures) for figures in zip(*runs, strict=True)]
    return Figures(sums[0] / count, sums[1] / count, sums[2] / count, round(sums[3] / count), sums[4] / count)


def seeds(cell: Cell) -> int:
    """Return how many runs of a cell there are."""
    if not cell.loss:
        return 1
    return SEEDS_LONG if cell.rtt >= LONG else SEEDS


def ours(cell: Cell, congestion: str = "cubic") -> Figures:
    """Return what the stack does on a link."""
    return average([Run(cell, congestion, seed).run() for seed in range(seeds(cell))])


def ideals(cell: Cell) -> Figures:
    """Return what an ideal sender does there."""
    return average([ideal.run(cell, seed) for seed in range(seeds(cell))])


def lossy(cells: Iterable[Cell], *, update: bool = False, congestion: str = "cubic") -> dict[str, float]:
    """Measure cells; `Regression` when one is worse than the golden figures, which `update` replaces."""
    golden, regressions = Golden(), []
    found: list[tuple[Cell, Figures, float]] = []
    print(table.HEADER)
    for cell in cells:
        now, before = ours(cell, congestion), golden.ours(cell)
        best = ideals(cell) if update else golden.ideal(cell) or ideals(cell)
        print(table.row(cell, now, best), flush=True)
        if update:
            golden.keep(cell, now, best)
        else:
            regressions += worse(cell, now, before) if before else [f"{cell.name}: has no golden figures"]
        found.append((cell, now, now.goodput / best.goodput))
    if update:
        golden.save()
        table.update(golden)
    if regressions:
        raise Regression("\n".join(["worse than the golden figures:", *regressions]))
    return keys(found)


def keys(found: list[tuple[Cell, Figures, float]]) -> dict[str, float]:
    """Return the worst of what cells gave; with each is given its goodput as a share of the ideal's."""
    clean = [share for cell, _, share in found if not cell.loss]
    lost = [share for cell, _, share in found if cell.loss]
    return {
        "lossy_clean_least_of_ideal": min(clean, default=0.0),
        "lossy_loss_least_of_ideal": min(lost, default=0.0),
        "lossy_loss_most_of_ideal": max(lost, default=0.0),
        "lossy_most_resent_percent": 100 * max((now.resent for _, now, _ in found), default=0.0),
        "lossy_most_copies_percent": 100 * max((now.copies for _, now, _ in found), default=0.0),
        "lossy_most_timeouts": max((now.timeouts for _, now, _ in found), default=0),
        "lossy_least_jain": min((now.jain for _, now, _ in found), default=0.0),
    }
