"""A node for the commands that people talk by: the options that say how it joins the network, and the node itself."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ygg.cli.common import UsageError, load, without_secrets
from ygg.errors import URLError

if TYPE_CHECKING:
    from ygg.embed.node import EmbeddedNode
    from ygg.identity.keys import PrivateKey

WAYS = "--peer, --country, --local, --listen or --config"
"""Options of which one at least is needed."""


def add_node(parser: argparse.ArgumentParser, *, identity: bool = True) -> None:
    """Give a command the options that say how its node joins the network."""
    group = parser.add_argument_group("how the node joins the network; one of them is needed")
    group.add_argument("--peer", action="append", default=[], metavar="URI", help="peer to go through; repeatable")
    country = "go through public peers of this country; repeatable (`ygg peers` lists them)"
    group.add_argument("--country", action="append", default=[], metavar="NAME", help=country)
    group.add_argument("--local", action="store_true", help="find the other node on the same link, by multicast")
    listen = "accept links at, as of the other person; repeatable"
    group.add_argument("--listen", action="append", default=[], metavar="URI", help=listen)
    group.add_argument("--config", metavar="FILE", help="the peers, listeners and group password of a configuration")
    if identity:
        text = "keep the node's key in this file, so that its address stays the same; made when it is not there"
        parser.add_argument("--identity", metavar="FILE", help=text)


@asynccontextmanager
async def joined(
    arguments: argparse.Namespace,
    tell: Callable[[str], object],
    key: PrivateKey | None = None,
    *,
    calls: bool = False,
) -> AsyncIterator[EmbeddedNode]:
    """Open the node that the options describe, with that key in place of all others, and wait for a peer.

    A node that calls no peer does not wait, unless it `calls` another node at once: that a peer has to come first, from
    the link or to a listener. Raises `UsageError`, and `ConnectTimeout` where no peer comes up in 30 seconds.
    """
    import ygg

    if not (arguments.peer or arguments.country or arguments.local or arguments.listen or arguments.config):
        raise UsageError(f"say how to join the network: {WAYS}")
    for text in [*arguments.peer, *arguments.listen]:
        try:
            ygg.PeerURL.parse(text)
        except URLError as error:
            message = f"{without_secrets(text)!r}: {error}; an address of a link is written like tls://host:port"
            raise UsageError(message) from None
    options: dict[str, Any] = {"peers": arguments.peer, "listen": arguments.listen, "countries": arguments.country}
    async with ygg.open_node(_identity(arguments, key), link_local=arguments.local, **options) as node:
        for listener in node.core.listeners:
            tell(f"accepting links at {listener.url.redacted()}")
        if calls or node.core.peers() or arguments.country:
            tell("no peer is up: connecting")
            peer = await node.connected(30)
            tell(f"connected to {peer.redacted}")
        yield node


def _identity(arguments: argparse.Namespace, key: PrivateKey | None) -> Any:
    path = getattr(arguments, "identity", None)
    if arguments.config is None:
        return key or path
    config = load(arguments.config, new_identity=key is not None or path is not None)
    if key is None and path is not None:
        from ygg.embed.identity import load_or_make

        key = load_or_make(path)
    return config if key is None else dataclasses.replace(config, private_key=key, private_key_path="")


def tell(text: str) -> None:
    """Print a sentence for the person on standard error."""
    print(f"ygg: {text}", file=sys.stderr, flush=True)
