"""Tables drawn with lines of boxes, or with spaces alone, as yggdrasilctl draws them."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining, east_asian_width


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in text)


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], *, borders: bool = True) -> str:
    """Return a table, with a line feed at its end; without `heads` it has rows alone. All have as many cells."""
    lines = [heads, *rows] if heads else rows
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    drawn = ["".join(_row(cells, widths, borders=borders)) for cells in ([_centred(heads, widths)] if heads else [])]
    if heads and rows and borders:
        drawn.append(_line("├┼┤", widths))
    drawn += ["".join(_row(cells, widths, borders=borders)) for cells in rows]
    if borders:
        drawn = [_line("┌┬┐", widths), *drawn, _line("└┴┘", widths)]
    return "".join(f"{line}\n" for line in drawn)


def _centred(heads: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [" " * ((wide - width(head)) // 2) + head for head, wide in zip(heads, widths, strict=True)]


def _row(cells: Sequence[str], widths: Sequence[int], *, borders: bool) -> str:
    filled = [f" {cell}{' ' * (wide - width(cell))} " for cell, wide in zip(cells, widths, strict=True)]
    return "│" + "│".join(filled) + "│" if borders else "".join(filled)


def _line(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join("─" * (wide + 2) for wide in widths) + corners[2]
