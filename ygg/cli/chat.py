"""`ygg chat`: lines of text between two nodes."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from ygg.cli.joined import add_node, joined, tell
from ygg.cli.keyboard import Keyboard

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser
    from ygg.embed.node import EmbeddedNode


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

    async with joined(arguments, tell, calls=arguments.address is not None) as node:
        lines = Keyboard()

        if arguments.address is None:
            tell("waiting for a call, by `ygg chat` and this address:")
            print(node.address, flush=True)
            await _wait(node, lines)
        else:
            tell(f"calling from {node.address}")
            await chat.call(node, arguments.address, lines, _show)
    tell("the chat has ended")


async def _wait(node: EmbeddedNode, lines: Keyboard) -> None:
    """Wait for a call that the person takes, or until they end their input."""
    from ygg.apps import chat

    accepted = False

    async def accept(caller: IPv6Address) -> bool:
        nonlocal accepted
        accepted = await lines.agrees(f"ygg: {caller} calls; talk?")
        return accepted

    talk = asyncio.ensure_future(chat.wait(node, accept, lines, _show))
    over = asyncio.ensure_future(lines.over.wait())
    try:
        await asyncio.wait([talk, over], return_when=asyncio.FIRST_COMPLETED)
        if accepted or talk.done():
            await talk
    finally:
        talk.cancel()
        over.cancel()
        await asyncio.gather(talk, over, return_exceptions=True)


def _show(line: str) -> None:
    encoding = sys.stdout.encoding  # which may lack letters that the other side writes
    print(f"> {line}".encode(encoding, "replace").decode(encoding), flush=True)
