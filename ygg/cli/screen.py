"""What a terminal can show: colours, tables and progress; plain text elsewhere, and where rich is not installed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from types import TracebackType

WHEN = ("auto", "always", "never")
"""Values of `--color`."""

EVERY = 0.1
"""Seconds between two lines of progress."""


def add_color(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--color`."""
    text = "colours and tables: auto is on a terminal, unless NO_COLOR is set"
    parser.add_argument("--color", choices=WHEN, default="auto", help=text)


def is_rich(when: str, stream: TextIO) -> bool:
    """Tell whether to show colours on a stream, and with what there is to do so (the extra `cli`)."""
    if when == "never" or find_spec("rich") is None:
        return False
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return when == "always" or (stream.isatty() and not plain)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], when: str = "auto") -> None:
    """Print a table: with heads and colours, or rows in columns alone; a cell is never cut."""
    if not is_rich(when, sys.stdout):
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(len(heads))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for head, style in zip(heads, _styles(len(heads)), strict=True):
        shown.add_column(head, style=style, no_wrap=True, overflow="ignore")
    for row in rows:
        shown.add_row(*map(Text, row))
    widest = sum(max(map(len, column)) + 3 for column in zip(heads, *rows, strict=True))
    width = max(Console().width, widest)
    Console(force_terminal=True, highlight=False, width=width).print(shown)


def _styles(columns: int) -> list[str]:
    return ["cyan", *[""] * (columns - 1)]


class Progress:
    """How far something is that takes long, on a terminal's last line, with an estimate of the end; else nothing.

    A context manager; `show` is given what is done and of how much.
    """

    def __init__(self, what: str, unit: str = "", when: str = "auto") -> None:
        """`unit` is empty for bytes, else a noun in the plural."""
        self._what = what
        self._unit = unit
        self._bar: Any = None
        self._task: Any = None
        self._rich = is_rich(when, sys.stderr) and sys.stderr.isatty()
        self._on = sys.stderr.isatty()
        self._begun: tuple[float, int] | None = None
        self._next = 0.0

    def show(self, done: int, total: int, note: str = "") -> None:
        """Show it, at most ten times a second, and when all is done."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now, done
        if not self._on or (now < self._next and done < total):
            return
        self._next = now + EVERY
        begun, before = self._begun
        text = line(self._what, done, total, done - before, now - begun, self._unit) + (f"  {note}" if note else "")
        if self._rich:
            self._show_rich(done, total, text)
        else:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    def _show_rich(self, done: int, total: int, text: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        if self._bar is None:
            self._bar = Bar(
                BarColumn(30), TextColumn("{task.description}", markup=False), console=Console(stderr=True)
            )
            self._task = self._bar.add_task("", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total, description=text)

    def tell(self, text: str) -> None:
        """Print a line for the person, on standard error, above the progress."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
            return
        print(f"\r\x1b[K{text}" if self._on and self._begun else text, file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._on and self._begun:
            print(file=sys.stderr)


def line(what: str, done: int, total: int, lately: int, seconds: float, unit: str = "") -> str:
    """Return one line: percent, how much, how fast, and how long it may still take, as the time so far has it."""
    share = f"{100 * done // total if total else 100:3} %"
    text = f"{what}  {share}  " + (f"{done} of {total} {unit}" if unit else f"{size(done)} of {size(total)}")
    if lately <= 0 or seconds <= 0:
        return text
    rate = lately / seconds
    if not unit:
        text += f"  {size(int(rate))}/s"
    return text if done >= total else f"{text}  {duration((total - done) / rate)} left"


def size(number: int) -> str:
    """Return bytes as people read them."""
    if number < 1024:
        return f"{number} bytes"
    value = float(number)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024 or unit == "TiB":
            break
    return f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a time as a clock has it."""
    minutes, rest = divmod(min(int(seconds + 0.5), 359999), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
