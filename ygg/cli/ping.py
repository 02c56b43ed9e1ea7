"""`ygg ping`: whether an address answers, by a node that lives as long as the command."""

from __future__ import annotations

import argparse
import asyncio
import math
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from ygg.cli.common import CommandError, UsageError, add_config, add_new_identity, load, positive, without_secrets
from ygg.errors import ResolveError, URLError, YggError
from ygg.identity.overlay import OVERLAY
from ygg.periodic import loop_time
from ygg.url import PeerURL

if TYPE_CHECKING:
    from ygg.cli.common import Subcommands
    from ygg.cli.parser import Parser
    from ygg.config.config import Config
    from ygg.node.core import Core
    from ygg.vtun import VTun

_NAME = re.compile(r"[^\s:/?#@\[\]]+\.[^\s:/?#@\[\]]+|[0-9A-Fa-f]{64}")
_IPV4 = re.compile(r"[0-9.]+")


def add(commands: Subcommands) -> Parser:
    """Add the command; return its parser."""
    text = (
        "Ping an address in the overlay, with no TUN device, until Ctrl-C. With --peer the identity is a new one; with "
        "--config it, the peers and the group password are the file's."
    )
    parser = commands.add_parser("ping", help="ping an address", description=text)
    what = "an IPv6 address in 200::/7, a public key, or a name of the overlay"
    parser.add_argument("address", metavar="HOST", help=what)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--peer", action="append", metavar="URI", help="peer to go through; repeatable")
    add_config(way, required=False)
    add_new_identity(parser)
    parser.add_argument("-c", "--count", type=positive(int), metavar="N", help="requests to send, then end")
    pause = "between requests (1)"
    parser.add_argument("-i", "--interval", type=positive(float), default=1.0, metavar="SECONDS", help=pause)
    waiting = "to wait for the peers, and for each answer (10)"
    parser.add_argument("-W", "--timeout", type=positive(float), default=10.0, metavar="SECONDS", help=waiting)
    parser.set_defaults(run=run)
    return parser


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and for how long."""

    count: int | None = None
    """Requests to send; None: until it is cancelled."""
    interval: float = 1.0
    """Seconds between them."""
    timeout: float = 10.0
    """Seconds that peers and answers have."""


def run(arguments: argparse.Namespace) -> int:
    """Ping."""
    address = _host(arguments.address)
    config = load(arguments.config, new_identity=arguments.new_identity) if arguments.config else None
    peers = config.peers if config else arguments.peer
    if not peers:
        raise UsageError("the configuration has no Peers; name one with --peer in its place")
    tally = Tally(address, arguments.address)
    try:
        asyncio.run(ping(tally, peers, Pace(arguments.count, arguments.interval, arguments.timeout), config))
    except KeyboardInterrupt:
        if not tally.sent:
            raise
    return 0 if tally.times else 1


class Tally:
    """What became of the requests to a host; prints it."""

    def __init__(self, address: IPv6Address | None, host: str = "") -> None:
        self.address = address
        """That is pinged; None while it is not known yet."""
        self.host = host or str(address)
        """The host as it was called."""
        self.sent = 0
        """Requests."""
        self.times: list[float] = []
        """Round trips in ms."""
        self._begun = 0.0

    def next(self) -> int:
        """Return the number of the next request, which is sent now."""
        if not self.sent:
            self._begun = loop_time()
        self.sent += 1
        return self.sent

    def answered(self, number: int, seconds: float) -> None:
        """Print a round trip."""
        self.times.append(1000 * seconds)
        print(f"{self.address}: seq={number} time={_digits(1000 * seconds)} ms", flush=True)

    def unanswered(self, number: int, reason: str) -> None:
        """Print that there is none."""
        print(f"{self.address}: seq={number} {reason}", flush=True)

    def close(self) -> None:
        """Print the statistics; nothing where nothing was sent."""
        if not self.sent:
            return
        lost = 100 * (self.sent - len(self.times)) / self.sent
        print(f"\n--- {self.host} ping statistics ---")
        print(f"{self.sent} sent, {len(self.times)} answered, {lost:.3g} % lost, {loop_time() - self._begun:.1f} s")
        if self.times:
            mean = sum(self.times) / len(self.times)
            deviation = math.sqrt(sum((one - mean) ** 2 for one in self.times) / len(self.times))
            figures = "/".join(map(_digits, (min(self.times), mean, max(self.times), deviation)))
            print(f"round trip min/avg/max/mdev = {figures} ms", flush=True)


async def ping(tally: Tally, peers: list[str], pace: Pace, config: Config | None = None) -> None:
    """Ping with the identity and group password of `config`, without one with a new identity. A name is looked up.

    Prints what becomes of each request, and the statistics at the end, also when it is cancelled. Raises
    `CommandError` when no peer connects in time.
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
        ) as node,_connected(node, peers, pace.timeout), VTun.over(node) as vtun
    ):
        if tally.address is None:
            tally.address = await _looked_up(vtun, tally.host)
        try:
            await _requests(vtun, tally, tally.address, pace)
        finally:
            tally.close()


async def _looked_up(vtun: VTun, name: str) -> IPv6Address:
    from ygg.names import Names
    from ygg.vtun.addresses import packed

    try:
        address = IPv6Address(packed(await Names(vtun=vtun).resolve(name)))
    except ResolveError as error:
        raise CommandError(str(error)) from None
    _tell(f"{name} is {address}")
    return address


async def _requests(vtun: VTun, tally: Tally, address: IPv6Address, pace: Pace) -> None:
    async with asyncio.TaskGroup() as waiting:
        while tally.sent != pace.count:
            if tally.sent:
                await asyncio.sleep(pace.interval)
            waiting.create_task(_request(vtun, tally, address, tally.next(), pace.timeout))


async def _request(vtun: VTun, tally: Tally, address: IPv6Address, number: int, timeout: float) -> None:
    try:
        tally.answered(number, await vtun.ping(address, timeout=timeout))
    except TimeoutError:
        tally.unanswered(number, f"no answer within {timeout:g} seconds")
    except OSError as error:
        tally.unanswered(number, str(error))


@asynccontextmanager
async def _connected(node: Core, peers: list[str], timeout: float) -> AsyncIterator[None]:
    """Call the peers, which have `timeout` seconds, until the body ends; it begins with the first that is up."""
    urls = [_known(node, text) for text in peers]
    _tell(f"no peer is up: connecting to {len(urls)} peer{'s' if len(urls) > 1 else ''}")
    begun = loop_time()
    calls = [asyncio.create_task(_call(node, url, timeout)) for url in urls]
    try:
        errors = []
        for call in asyncio.as_completed(calls):
            if (error := await call) is None:
                break
            errors.append(error)
        else:
            raise CommandError("; ".join(errors) + "; try another peer, such as those of `ygg peers`")
        up = ", ".join(peer.redacted for peer in node.peers() if peer.up)
        _tell(f"connected to {up} in {_digits(1000 * (loop_time() - begun))} ms; pinging from {node.address}")
        yield
    finally:
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


def _known(node: Core, text: str) -> PeerURL:
    """Return the URL of a peer; raises `UsageError`."""
    try:
        url = PeerURL.parse(text)
        node.manager.require(url.scheme)
    except URLError as error:
        raise UsageError(f"peer {without_secrets(text)!r}: {error}; one is written like tls://host:port") from None
    return url


async def _call(node: Core, url: PeerURL, timeout: float) -> str | None:
    """Return what kept a peer from connecting."""
    try:
        async with asyncio.timeout(timeout) as deadline:
            await node.call_peer(url)
    except URLError as error:
        return f"{url.with_query().redacted()}: {error}"
    except (YggError, OSError) as error:
        reason = f"no answer within {timeout:g} seconds" if deadline.expired() else str(error)
        return f"no connection to {url.with_query().redacted()}: {reason}"
    return None


def _tell(text: str) -> None:
    print(f"ygg: {text}", file=sys.stderr, flush=True)


def _digits(ms: float) -> str:
    # As ping has it: three significant digits and more.
    return f"{ms:.3f}" if ms < 1 else f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def _host(text: str) -> IPv6Address | None:
    """Return the address that a host is, None for a name. Raises `UsageError` for what is neither."""
    try:
        address = IPv6Address(text)
    except ValueError:
        if not _NAME.fullmatch(text) or _IPV4.fullmatch(text):
            raise UsageError(f"{text!r} is not an IPv6 address, a public key or a name of the overlay") from None
        return None
    if address not in OVERLAY:
        raise UsageError(f"{address} is not in the overlay, which is 200::/7")
    return address
