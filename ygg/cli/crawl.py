"""`ygg map`: who is linked to whom in the network, by asking node after node, as a table, JSON or a picture."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError, positive
from ygg.cli.joined import add_node, joined, tell
from ygg.cli.screen import Progress, table
from ygg.errors import YggError

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser
    from ygg.crawler import Crawl, Graph

CLIENTS = 16
"""Connections to the admin socket: each has one question at a time."""


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Ask node after node for its peers, from a node of this run or, with --endpoint, from one that runs, and list "
        "what is found. Ctrl-C ends it with what has been found so far. Each node is asked once."
    )
    parser = commands.add_parser("map", help="find who is linked to whom", description=text)
    parser.add_argument("--endpoint", metavar="WHERE", help="the admin socket of a running node, as `ygg ctl` takes it")
    parser.add_argument("--json", action="store_true", help="as a JSON object of nodes and links")
    parser.add_argument("--svg", metavar="FILE", help="draw a picture too (extra plot)")
    parser.add_argument("--most", type=positive(int), default=20000, metavar="N", help="nodes to look at (20000)")
    parser.add_argument("--rate", type=positive(float), default=50.0, metavar="N", help="questions a second (50)")
    add_node(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Crawl, and show what was found."""
    crawls: list[Crawl] = []
    interrupted = False
    try:
        asyncio.run(_crawl(arguments, crawls))
    except KeyboardInterrupt:
        if not crawls:
            raise
        interrupted = True
    graph = crawls[0].graph
    if arguments.json:
        print(json.dumps(graph.to_json(), indent=2))
    else:
        _show(graph, arguments.color)
    if arguments.svg:
        from ygg.crawler.picture import draw

        try:
            draw(graph, arguments.svg)
        except OSError as error:
            raise CommandError(f"--svg: {error}") from None
    return 130 if interrupted else 0


async def _crawl(arguments: argparse.Namespace, crawls: list[Crawl]) -> None:
    from ygg.admin import Client
    from ygg.crawler import AdminSource, Crawl

    options = {"most_nodes": arguments.most, "rate": arguments.rate}
    with Progress("asked", "nodes", arguments.color) as progress:
        if arguments.endpoint is None:
            async with joined(arguments, tell) as node:
                await node.connected(30)
                crawls.append(Crawl(node.core, **options))
                peers = [peer.key for peer in node.core.peers() if peer.up and peer.key]
                await crawls[0].run(node.core.public_key, peers, progress.show)
            return
        try:
            async with contextlib.AsyncExitStack() as open_clients:
                clients = [await open_clients.enter_async_context(Client(arguments.endpoint)) for _ in range(CLIENTS)]
                own = bytes.fromhex((await clients[0].request("getSelf"))["key"])
                told = (await clients[0].request("getPeers"))["peers"]
                peers = [bytes.fromhex(peer["key"]) for peer in told if peer.get("up") and peer.get("key")]
                crawls.append(Crawl(AdminSource(clients), at_once=CLIENTS, **options))
                await crawls[0].run(own, peers, progress.show)
        except (OSError, YggError, KeyError, ValueError) as error:
            raise CommandError(f"--endpoint {arguments.endpoint}: {error}") from None


def _show(graph: Graph, color: str) -> None:
    from ygg.identity.address import address_of

    rows = [
        [
            str(address_of(node.key)),
            "" if node.peers is None else str(len(node.peers)),
            "" if node.seconds is None else f"{1000 * node.seconds:.0f} ms",
            node.error,
        ]
        for node in graph
    ]
    table(["node", "peers", "answered after", "error"], rows, color)
    left = f"; {graph.left_out} more were told of and left out" if graph.left_out else ""
    print(f"{len(graph.nodes)} nodes, {graph.answered} of which answered, and {len(graph.links())} links{left}")
