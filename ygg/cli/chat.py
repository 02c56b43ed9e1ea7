"""`ygg chat`: lines of text between two nodes."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from ygg.cli.joined import add_node, joined, tell
from ygg.cli.keyboard import Keyboard

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Talk to the node at an address, or wait for a node that calls this one, whose address is printed. It is "
        "encrypted from node to node. The end of input (Ctrl-D) ends it."
    )
    parser = commands.add_parser("chat", help="talk to another person", description=text)
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="the other node's; without it, wait")
    add_node(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Talk."""
    asyncio.run(_chat(arguments))
    return 0


async def _chat(arguments: argparse.Namespace) -> None:
    from ygg.apps import chat

    async with joined(arguments, tell) as node:
        lines = Keyboard()

        async def accept(caller: IPv6Address) -> bool:
            return await lines.agrees(f"ygg: {caller} calls; talk?")

        if arguments.address is None:
            tell("waiting for a call, by `ygg chat` and this address:")
            print(node.address, flush=True)
            await chat.wait(node, accept, lines, _show)
        else:
            tell(f"calling from {node.address}")
            await chat.call(node, arguments.address, lines, _show)
    tell("the chat has ended")


def _show(line: str) -> None:
    print(f"> {line}", flush=True)
