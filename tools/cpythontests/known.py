"""Which of CPython's tests cannot pass over the overlay, and why: cannot.toml, checked both ways."""

import fnmatch
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("cannot.toml")


@dataclass(frozen=True)
class Entry:
    """Tests that cannot pass."""

    tests: tuple[str, ...]
    """Patterns of names: module, class and method."""
    reason: str
    python: tuple[str, ...] = ()
    """Versions that it holds for; empty: all."""
    loops: tuple[str, ...] = ()
    """Event loops that it holds for; empty: all."""
    sometimes: bool = False
    """Whether they pass at times, by which of two threads is first."""


@dataclass(frozen=True)
class Ran:
    """How a test has ended."""

    name: str
    """Module, class and method."""
    ended: str
    """"passed", "failed" or "skipped"."""
    uses: int = 0
    """How often it has used the overlay."""
    text: str = ""
    """Its traceback, or why it was skipped."""


def read(text: str) -> list[Entry]:
    """Return the entries of a list."""
    return [Entry(tuple(row["tests"]), row["reason"], tuple(row.get("python", ())), tuple(row.get("loops", ())),
                  row.get("sometimes", False))
            for row in tomllib.loads(text)["cannot"]]


def short(test: str) -> str:
    """Return a test's name without the package it is in."""
    return test.removeprefix("test.test_asyncio.")


def of(row: dict[str, Any]) -> Ran:
    """Return what a line of child.py tells."""
    return Ran(short(row["test"]), row["ended"], row["uses"], row["text"])


def judge(ran: Sequence[Ran], entries: Sequence[Entry], python: str, loop: str, modules: Sequence[str]) -> list[str]:
    """Return what is wrong with the tests of some modules: failures that are not listed, and entries that are wrong."""
    wrong: list[str] = []
    excused: set[str] = set()
    for entry in entries:
        if (entry.python and python not in entry.python) or (entry.loops and loop not in entry.loops):
            continue
        for pattern in entry.tests:
            if pattern.split(".")[0] not in modules:
                continue
            matching = [one for one in ran if fnmatch.fnmatch(one.name, pattern)]
            excused.update(one.name for one in matching)
            wrong += [f"{one.name} is listed, and {one.ended}" for one in matching
                      if one.ended != "failed" and not (entry.sometimes and one.ended == "passed")]
            if not matching:
                wrong.append(f"{pattern} is listed, and there is no such test")
    failed = (one for one in ran if one.ended == "failed" and one.name not in excused)
    return wrong + [f"{one.name} failed\n{one.text}" for one in failed]
