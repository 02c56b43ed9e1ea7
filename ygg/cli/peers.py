"""`ygg peers`: the public peers that are compiled in, and which of them answer."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError
from ygg.cli.screen import Progress, table

if TYPE_CHECKING:
    from ygg.autopeer import PublicPeer
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

AT_ONCE = 32
"""Peers that are dialed at the same time."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "List the compiled-in public peers: country and URI of each, then how many, and from when the list is. With "
        "--check or --near they are dialed, and those that answer are listed with the round trip, the nearest first."
    )
    parser = commands.add_parser("peers", help="list public peers", description=text)
    parser.add_argument("--country", action="append", metavar="NAME", help="of this country alone; may be repeated")
    parser.add_argument("--scheme", action="append", metavar="NAME", help="of this scheme alone; may be repeated")
    parser.add_argument("--check", action="store_true", help="see which of them answer, and how soon")
    parser.add_argument("--near", type=_whole, metavar="N", help="the N nearest of those that answer")
    parser.add_argument("--json", action="store_true", help="as a JSON array of objects")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    from ygg.autopeer import builtin_document
    from ygg.autopeer.peer import place

    document = builtin_document()
    countries = _known(arguments.country, {peer.country for peer in document.peers}, "country", place)
    schemes = _known(arguments.scheme, {peer.scheme for peer in document.peers}, "scheme", str.lower)
    chosen = [peer for peer in document.peers if peer.country in countries and peer.scheme in schemes]
    if arguments.check or arguments.near is not None:
        with Progress("dialed", "peers", arguments.color) as progress:
            times = asyncio.run(check(chosen, progress))
        chosen = sorted(times, key=times.__getitem__)[: arguments.near]
        if not chosen:
            raise CommandError("none of these peers answers; is this machine connected?")
    else:
        times = {}
    if arguments.json:
        print(json.dumps([_object(peer, times.get(peer)) for peer in chosen], indent=2))
        return 0
    heads = ["round trip", "country", "peer"] if times else ["country", "peer"]
    rows = [
        [*([f"{1000 * times[peer]:6.0f} ms"] if times else []), peer.country, str(peer.url)] for peer in chosen
    ]
    table(heads, rows, arguments.color)
    share = "" if len(chosen) == len(document.peers) else f"{len(chosen)} of "
    print(f"{share}{len(document.peers)} public peers, as listed on {document.date}")
    return 0


async def check(peers: Sequence[PublicPeer], progress: Progress) -> dict[PublicPeer, float]:
    """Dial peers, and return the round trip of each that answers, in seconds; a terminal shows the progress.

    What a TCP handshake takes counts, without the look-up of the name; QUIC's peers are not dialed.
    """
    from ygg.autopeer.probe import TIMEOUT, tcp_probe
    from ygg.network import NativeNetwork

    found: dict[PublicPeer, float] = {}
    places = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(peer: PublicPeer) -> None:
        nonlocal done
        try:
            async with places, asyncio.timeout(TIMEOUT):
                if (time := await probe(peer)) is not None:
                    found[peer] = time
        except OSError:
            pass
        done += 1
        progress.show(done, len(peers), f"{len(found)} answered")

    async with NativeNetwork() as network, asyncio.TaskGroup() as tasks:
        probe = tcp_probe(lambda host: network)
        for peer in peers:
            tasks.create_task(one(peer))
    return found


def _object(peer: PublicPeer, time: float | None) -> dict[str, object]:
    found: dict[str, object] = {"url": str(peer.url), "country": peer.country, "scheme": peer.scheme}
    return found if time is None else found | {"round_trip_ms": round(1000 * time, 3)}


def _known(wanted: list[str] | None, known: set[str], kind: str, spelled: Callable[[str], str]) -> set[str]:
    """Return the names wanted, all where none is named; raises `CommandError` for one that is not in the list."""
    if wanted is None:
        return known
    names = {spelled(name) for name in wanted}
    if missing := sorted(names - known):
        raise CommandError(f"the list has no {kind} {missing[0]!r}; it has {', '.join(sorted(known))}")
    return names


def _whole(text: str) -> int:
    if (number := int(text)) <= 0:
        raise ValueError
    return number


_whole.__name__ = "positive number"
