"""Makes the compiled-in list of public peers: `tools/builtin-peers` in front of it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ygg.autopeer.builtin import read_checkout
from ygg.autopeer.documents import OWN_FORMAT, DocumentError
from ygg.autopeer.peer import PublicPeer

FIELDS = ("country", "region", "url", "scheme", "host", "port", "key")
"""What our own form says of each peer."""


def render(peers: Iterable[PublicPeer], date: str) -> str:
    """Return our own JSON form of a list, one peer a line so that changes can be reviewed."""
    entries = [json.dumps({name: getattr(peer, name) for name in FIELDS}) for peer in peers]
    head = json.dumps({"format": OWN_FORMAT, "date": date, "count": len(entries)})
    return head[:-1] + ', "peers": [\n' + ",\n".join(entries) + "\n]}\n"


def commit_date(checkout: Path) -> str:
    """Return the day of a checkout's last commit; empty when it has no history."""
    command = ["git", "-C", str(checkout), "log", "-1", "--format=%cs", "--", "."]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="builtin-peers", allow_abbrev=False, description=__doc__)
    parser.add_argument("checkout", type=Path, help="checkout of the public-peers lists: a folder for each continent")
    parser.add_argument("--date", help="day of the lists, YYYY-MM-DD; that of the checkout's last commit by default")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    given = parser.parse_args(arguments)
    date = given.date or commit_date(given.checkout)
    if not date:
        parser.error("the checkout has no history: give its --date")
    try:
        document = read_checkout(given.checkout, strict=True)
    except DocumentError as error:
        parser.error(str(error))
    given.output.write_text(render(document.peers, date), encoding="ascii")
    for rejection in document.rejections:
        print(f"left out {rejection.entry}: {rejection.reason}")
    print(f"{len(document.peers)} peers of {date}, {document.duplicates} duplicates, {document.rejected} left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
