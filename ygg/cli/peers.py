"""`ygg peers`: the public peers that are compiled in."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands


def add(commands: Subcommands) -> None:
    """Add the command."""
    text = "List the compiled-in public peers: country and URI of each, then how many, and from when the list is."
    parser = commands.add_parser("peers", help="list public peers", description=text, allow_abbrev=False)
    parser.add_argument("--country", action="append", metavar="NAME", help="of this country alone; may be repeated")
    parser.add_argument("--scheme", action="append", metavar="NAME", help="of this scheme alone; may be repeated")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    from ygg.autopeer import builtin_document
    from ygg.autopeer.peer import place

    document = builtin_document()
    countries = _known(arguments.country, {peer.country for peer in document.peers}, "country", place)
    schemes = _known(arguments.scheme, {peer.scheme for peer in document.peers}, "scheme", str.lower)
    chosen = [peer for peer in document.peers if peer.country in countries and peer.scheme in schemes]
    width = max((len(peer.country) for peer in chosen), default=0)
    for peer in chosen:
        print(f"{peer.country:<{width}}  {peer.url}")
    share = "" if len(chosen) == len(document.peers) else f"{len(chosen)} of "
    print(f"{share}{len(document.peers)} public peers, as listed on {document.date}")
    return 0


def _known(wanted: list[str] | None, known: set[str], kind: str, spelled: Callable[[str], str]) -> set[str]:
    """Return the names wanted, all where none is named; raises `CommandError` for one that is not in the list."""
    if wanted is None:
        return known
    names = {spelled(name) for name in wanted}
    if missing := sorted(names - known):
        raise CommandError(f"the list has no {kind} {missing[0]!r}; it has {', '.join(sorted(known))}")
    return names
