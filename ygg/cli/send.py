"""`ygg send`: a file, to the person who is told the code, or to an address."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError
from ygg.cli.joined import add_node, joined
from ygg.cli.screen import Progress

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Send a file. Without --to a code is printed: tell it to the other person, who gives it to `ygg receive`. The "
        "code is a secret, for one file. A transfer that was cut goes on where it was; after this command has ended, "
        "start it again with --code and the same code."
    )
    parser = commands.add_parser("send", help="send a file", description=text)
    parser.add_argument("file", metavar="FILE", help="what to send")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--to", metavar="ADDRESS", help="send to the node with this address, which runs `ygg receive`")
    way.add_argument("--code", metavar="CODE", help="go on with a code of before")
    add_node(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Send it."""
    path = Path(arguments.file)
    if path.is_dir():
        raise CommandError(f"{path} is a folder: pack it first, as by `tar -czf {path.name}.tar.gz {path}`")
    if not path.is_file():
        raise CommandError(f"{path} is no file; name one that is there")
    with Progress("sent", when=arguments.color) as progress:
        asyncio.run(_send(arguments, path, progress))
    return 0


async def _send(arguments: argparse.Namespace, path: Path, progress: Progress) -> None:
    from ygg.apps.code import Code
    from ygg.apps.sending import send_by_code, send_to

    def tell(text: str) -> None:
        progress.tell(f"ygg: {text}")

    if arguments.to:
        async with joined(arguments, tell, calls=True) as node:
            tell(f"sending from {node.address}")
            await send_to(node, arguments.to, path, progress.show)
    else:
        code = Code.parse(arguments.code) if arguments.code else Code.generate()
        async with joined(arguments, tell, key=code.key) as node:
            tell(f"the other person receives {path.name} by this code:")
            print(code.text, flush=True)
            await send_by_code(node, code, path, progress.show, tell)
    tell("the other side has the whole file")
