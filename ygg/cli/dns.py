"""`ygg dns`: answers DNS questions for names of the overlay, for the programs of this machine."""

from __future__ import annotations

import argparse
import asyncio
import re
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError, UsageError
from ygg.cli.joined import add_node, joined, tell
from ygg.cli.mappings import name_server

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser

LISTEN = "127.0.0.1:5300"
"""Where it answers unless told otherwise: the port of DNS itself is root's."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Answer DNS questions for names of the overlay, by UDP and TCP, until Ctrl-C: .meship, .pk.ygg, .meshname, "
        ".ygg and the other zones of ALFIS, and those of a table. Other names are refused, so that the client "
        "goes on to the next server."
    )
    parser = commands.add_parser("dns", help="answer DNS questions for names of the overlay", description=text)
    parser.add_argument("--answer", default=LISTEN, metavar="HOST:PORT", help=f"answer at ({LISTEN})")
    hosts = "a table of names: lines of an address or key, and its names; read again when it has changed"
    parser.add_argument("--hosts", metavar="FILE", help=hosts)
    server = "ask this DNS server in the overlay, in place of those of ALFIS; repeatable"
    parser.add_argument("--nameserver", action="append", default=[], metavar="ADDRESS", help=server)
    add_node(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Answer until interrupted."""
    host, port = _at(arguments.answer)
    servers = [name_server(text) for text in arguments.nameserver]
    asyncio.run(_answer(arguments, host, port, servers))
    return 0


async def _answer(arguments: argparse.Namespace, host: str, port: int, servers: list[tuple[str, int]]) -> None:
    from ygg.errors import ConfigError
    from ygg.names import HostsFile, Names
    from ygg.names.names import ALFIS_SERVERS
    from ygg.names.server import DnsServer

    try:
        hosts = None if arguments.hosts is None else HostsFile(arguments.hosts)
    except (OSError, ConfigError) as error:
        raise CommandError(f"--hosts: {error}") from None
    async with joined(arguments, tell) as node:
        names = Names(hosts, vtun=node.vtun, alfis=servers or ALFIS_SERVERS)
        try:
            async with DnsServer(names, node.network, host, port) as server:
                tell(f"answering DNS questions at {server.address}")
                await asyncio.get_running_loop().create_future()
        except OSError as error:
            raise CommandError(f"--answer {arguments.answer}: {error}") from None


def _at(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[0-9.]+):(\d{1,5})", text, re.ASCII)
    if found is None or int(found[2]) > 65535:
        raise UsageError(f"--answer: {text!r} is no address and port; write 127.0.0.1:5300 or [::1]:5300")
    return found[1].strip("[]"), int(found[2])
