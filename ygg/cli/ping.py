"""`ygg ping`: whether an address answers, by a node that lives as long as the command."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, TypeVar

from ygg.cli.common import CommandError, UsageError, add_config, add_new_identity, load
from ygg.errors import URLError, YggError
from ygg.identity.overlay import OVERLAY
from ygg.url import PeerURL

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.config.config import Config
    from ygg.node.core import Core

PAUSE = 1.0
"""Seconds between an answer and the next request."""

T = TypeVar("T", int, float)


def add(commands: Subcommands) -> None:
    """Add the command."""
    text = (
        "Ping an address in the overlay, with no TUN device. With --peer the identity is a new one; with --config it, "
        "the peers and the group password are the file's."
    )
    parser = commands.add_parser("ping", help="ping an address", description=text, allow_abbrev=False)
    parser.add_argument("address", metavar="ADDRESS", help="an IPv6 address in 200::/7")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--peer", action="append", metavar="URI", help="peer to go through; repeatable")
    add_config(way, required=False)
    add_new_identity(parser)
    parser.add_argument("--count", type=_positive(int), default=3, metavar="N", help="answers wanted (3)")
    waiting = "to wait for the peers, and for each answer (10)"
    parser.add_argument("--timeout", type=_positive(float), default=10.0, metavar="SECONDS", help=waiting)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ping."""
    address = _overlay(arguments.address)
    config = load(arguments.config, new_identity=arguments.new_identity) if arguments.config else None
    peers = config.peers if config else arguments.peer
    if not peers:
        raise UsageError("the configuration has no Peers; name one with --peer in its place")
    asyncio.run(ping(address, peers, arguments.count, arguments.timeout, config))
    return 0


async def ping(
    address: IPv6Address, peers: list[str], count: int, timeout: float, config: Config | None = None
) -> None:
    """Print the round-trip time of `count` answers to a node with the identity and group password of `config`.

    Without one the identity is new. Raises `CommandError` when no peer connects within `timeout` seconds, or an answer
    takes longer.
    """
    from ygg.config.config import Config
    from ygg.network import NativeNetwork
    from ygg.node.core import Core
    from ygg.transport.every import every_transport
    from ygg.vtun import VTun

    config = config or Config.generate()
    async with (
        NativeNetwork() as network,
        Core(
            config.certificate,
            every_transport(network, config.certificate),
            group_password=config.group_password,
        ) as node,
    ):
        await _connect(node, peers, timeout)
        async with VTun.over(node) as vtun:
            for number in range(1, count + 1):
                try:
                    seconds = await vtun.ping(address, timeout=timeout)
                except TimeoutError:
                    raise CommandError(f"{address} did not answer within {timeout:g} seconds") from None
                print(f"{address} answered in {seconds * 1000:.2f} ms", flush=True)
                if number < count:
                    await asyncio.sleep(PAUSE)


async def _connect(node: Core, peers: list[str], timeout: float) -> None:
    """Connect to the peers, which have `timeout` seconds; one will do."""
    errors = [error for error in await asyncio.gather(*(_call(node, uri, timeout) for uri in peers)) if error]
    for error in errors:
        if isinstance(error, UsageError):
            raise error
    if len(errors) == len(peers):
        raise CommandError("; ".join(map(str, errors)) + "; try another peer, such as those of `ygg peers`")


async def _call(node: Core, uri: str, timeout: float) -> CommandError | None:
    """Return what kept a peer from connecting."""
    try:
        async with asyncio.timeout(timeout) as deadline:
            await node.call_peer(uri)
    except URLError as error:
        return UsageError(f"--peer: {error}")
    except (YggError, OSError) as error:
        reason = f"no answer within {timeout:g} seconds" if deadline.expired() else str(error)
        return CommandError(f"no connection to {PeerURL.parse(uri).with_query().redacted()}: {reason}")
    return None


def _overlay(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise UsageError(f"{text!r} is not an IPv6 address") from None
    if address not in OVERLAY:
        raise UsageError(f"{address} is not in the overlay, which is 200::/7")
    return address


def _positive(kind: Callable[[str], T]) -> Callable[[str], T]:
    def number(text: str) -> T:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    number.__name__ = "positive number"
    return number
