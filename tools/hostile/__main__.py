"""Prints what each attack does to a node: tools/arena [--seconds N] [NAME …]."""

import argparse
import sys

from hostile import arena
from hostile.attacks import ATTACKS


def main() -> int:
    """Run the attacks named, or all; the table grows as they end, and Ctrl-C ends it."""
    parser = argparse.ArgumentParser(prog="tools/arena", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks (default: all)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each attack (default: 8)")
    parser.add_argument("--list", action="store_true", help="say what attacks there are")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ATTACKS):
        parser.error(f"no attack is called {', '.join(sorted(unknown))}; --list names them")
    if options.list:
        for name, function in ATTACKS.items():
            print(f"{name:20} {function.__doc__}")
        return 0
    try:
        for name in options.names or ATTACKS:
            print(f"{name}: {ATTACKS[name].__doc__}", flush=True)
            outcome = arena.run(name, options.seconds)
            print(f"  before  {outcome.before}\n  during  {outcome.during}\n  after   {outcome.after}", flush=True)
            print(f"  did     {outcome.did}", flush=True)
            if outcome.complaints:
                print(f"  errors  {outcome.complaints[-500:]}", flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
