"""A parser of command lines that says what may have been meant."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable


class Parser(argparse.ArgumentParser):
    """argparse's, with options in full only, and a hint at the nearest name for one that there is not.

    The parsers of its subcommands are of this class too.
    """

    def __init__(self, *arguments: str, **options: object) -> None:
        super().__init__(*arguments, **options | {"allow_abbrev": False})  # type: ignore[arg-type]
        self.ends_at_program = False
        """Whether what follows the first word that is no option, or -m, is a program's."""

    def arguments(self) -> list[argparse.Action]:
        """Return the arguments and options, but for those of help and of commands."""
        return [action for action in self._actions if action.dest != "help" and action.nargs != argparse.PARSER]

    def refuse(self, kind: str, name: str, known: Iterable[str]) -> NoReturn:
        """End the program as for any bad command line: there is no such command or option."""
        self.error(f"there is no {kind} {name!r}{hint(name, list(known))}")

    def check_options(self, arguments: Sequence[str]) -> None:
        """Refuse the first option that there is not; argparse would first ask for what is missing in its place."""
        known = self._option_string_actions
        value = False
        for argument in arguments:
            name, equals, _ = argument.partition("=")
            if argument == "--" or (self.ends_at_program and not value and (name == "-m" or name[:1] != "-")):
                return
            if name.startswith("--") and name not in known:
                self.refuse("option", name, known)
            value = name in known and known[name].nargs is None and not equals


def hint(name: str, known: Collection[str]) -> str:
    """Return "; did you mean …?" for the nearest known name, else ""."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
