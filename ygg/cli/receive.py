"""`ygg receive`: a file, by a code or at the node's address."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ygg.cli.common import UsageError, write
from ygg.cli.joined import add_node, joined
from ygg.cli.keyboard import Keyboard
from ygg.cli.screen import Progress, size

if TYPE_CHECKING:
    from ygg.apps.receiving import Offer
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Receive a file: with a code from the person who sends it, else from any node that sends to this one's "
        "address, which is printed. You are asked before anything is written, and no file is written over. A transfer "
        "that was cut goes on where it was when the command is given again."
    )
    parser = commands.add_parser("receive", help="receive a file", description=text)
    parser.add_argument("code", nargs="?", metavar="CODE", help="what `ygg send` has printed")
    parser.add_argument("--folder", default=".", metavar="FOLDER", help="where to put it (this one)")
    parser.add_argument("--name", metavar="NAME", help="call it so, whatever its name is")
    parser.add_argument("--yes", action="store_true", help="take what comes without asking")
    add_node(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Receive it."""
    if not Path(arguments.folder).is_dir():
        raise UsageError(f"there is no folder {arguments.folder!r}; make it first, or name another")
    if arguments.name in ("", ".", "..") or arguments.name != (arguments.name and Path(arguments.name).name):
        raise UsageError(f"{arguments.name!r} is no name of a file; the folder is said by --folder")
    with Progress("received", when=arguments.color) as progress:
        path = asyncio.run(_receive(arguments, progress))
    write(f"{path}\n")
    return 0


async def _receive(arguments: argparse.Namespace, progress: Progress) -> Path:
    from ygg.apps.code import Code
    from ygg.apps.receiving import receive_by_code, receive_next

    def tell(text: str) -> None:
        progress.tell(f"ygg: {text}")

    code = Code.parse(arguments.code) if arguments.code else None
    accept = Asking(arguments.yes)
    folder = Path(arguments.folder)
    async with joined(arguments, tell) as node:
        if code is None:
            tell("waiting for a file; it is sent by `ygg send FILE --to` this address:")
            print(node.address, flush=True)
            return await receive_next(node, folder, accept, progress.show, name=arguments.name)
        tell("looking for the sender")
        return await receive_by_code(node, code, folder, accept, progress.show, tell, name=arguments.name)


class Asking:
    """Asks the person about an offer: once, however often the connection is lost."""

    def __init__(self, agreed: bool) -> None:
        """Begin; `agreed` takes all."""
        self._keyboard: Keyboard | None = None
        self._agreed = agreed
        self._taken: set[Offer] = set()

    async def __call__(self, offer: Offer) -> bool:
        """Tell whether to take it."""
        from ygg.identity.address import address_of

        if offer in self._taken:
            return True
        if not self._agreed:
            self._keyboard = self._keyboard or Keyboard()
            sender = address_of(offer.sender)
            if not await self._keyboard.agrees(f"ygg: take {offer.name!r}, {size(offer.size)}, from {sender}?"):
                if not sys.stdin.isatty():
                    print(file=sys.stderr)
                return False
        self._taken.add(offer)
        return True
