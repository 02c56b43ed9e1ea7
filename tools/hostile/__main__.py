"""Shows what attacks do to a node: tools/arena [--seconds N] [--round-trip MS] [NAME …].

What each did goes to standard error as it ends; the table of all of them, in Markdown, to standard output.
"""

import argparse
import sys
from collections.abc import Iterable

from hostile import arena
from hostile.arena import Outcome
from hostile.attacks import ATTACKS

COLUMNS = (
    "attack", "loop lag, ms", "ping p99, ms: idle → attack", "failed", "newcomer, ms", "memory, MiB: idle → attack",
    "links lost",
)


def row(cells: Iterable[object]) -> str:
    """Return a row of the table."""
    return f"| {' | '.join(map(str, cells))} |"


def cells(name: str, outcome: Outcome) -> tuple[object, ...]:
    """Return an attack's row."""
    before, during = outcome.before, outcome.during
    return (
        f"`{name}`", f"{during.lag:.0f}", f"{before.ping:.1f} → {during.ping:.1f}", during.failures,
        f"{during.newcomer:.0f}", f"{before.resident:.0f} → {during.resident:.0f}", during.lost,
    )


def tell(name: str, outcome: Outcome) -> None:
    """Say at length what an attack did."""
    print(f"{name}: {ATTACKS[name].__doc__}", file=sys.stderr)
    for phase in ("before", "during", "after"):
        print(f"  {phase:7} {getattr(outcome, phase)}", file=sys.stderr)
    print(f"  did     {outcome.did}", file=sys.stderr)
    if outcome.complaints:
        print(f"  errors  {outcome.complaints[-500:]}", file=sys.stderr)
    sys.stderr.flush()


def main() -> int:
    """Run the attacks named, or all; Ctrl-C ends it with the table so far."""
    parser = argparse.ArgumentParser(prog="tools/arena", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks (default: all)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each attack (default: 8)")
    parser.add_argument("--round-trip", type=float, default=0.0, metavar="MS",
                        help="milliseconds from the honest side to the victim and back (default: 0)")
    parser.add_argument("--list", action="store_true", help="say what attacks there are")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ATTACKS):
        parser.error(f"no attack is called {', '.join(sorted(unknown))}; --list names them")
    if options.list:
        for name, function in ATTACKS.items():
            print(f"{name:20} {function.__doc__}")
        return 0
    found: dict[str, Outcome] = {}
    status = 0
    try:
        for name in options.names or ATTACKS:
            found[name] = arena.run(name, options.seconds, round_trip=options.round_trip)
            tell(name, found[name])
    except KeyboardInterrupt:
        status = 130
    print(row(COLUMNS), row("---" for _ in COLUMNS), *(row(cells(*item)) for item in found.items()), sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
