"""A jumper: direct links to the destinations a node exchanges traffic with, for as long as it does.

Theory of operation
-------------------
Every check looks at what each session has carried since the last one. A destination that carried enough, and to which
this node itself has sent, is *in use*. One in use that is no neighbour yet is *sought*: its NodeInfo is asked for, what
it publishes is checked (`ygg.jumper.addresses`), the round trip through the network is measured, and the URIs are
dialed one after another until a link is up. Such a link is *judged* by measuring the same round trip again, which now
takes the link; twice no better, and it goes. It also goes when its destination is out of use for long, when it is lost,
and when another link to the same node makes it needless.

What fails rests, for twice as long each time. All of this is started by what strangers send and publish, so each step
has a bound: searches at once and in a minute, URIs looked at, seconds for all of a search, links held.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ygg.errors import ConfigError, PeerUnknownError, YggError
from ygg.jumper.addresses import MEMBER, IPAddress, machine_addresses, own_uris, published_by
from ygg.jumper.config import JumperConfig
from ygg.periodic import Background, PeriodicService, loop_time
from ygg.url import PeerURL

PATIENCE = 30.0
"""Seconds for all of a search: asking, measuring, and dialing one URI after another."""
SAMPLES = 3
"""Round trips measured, of which the shortest counts."""
JUDGE_AGAIN = 600.0
"""Seconds until a link that was found better is judged again."""
MOST_FAULTS = 2
"""Judgements in a row that find a link no better, after which it is dropped."""
LONGEST_REST = 86_400.0
"""Seconds."""

_log = logging.getLogger("ygg.jumper")


class SessionInfo(Protocol):
    """What a jumper reads of a session."""

    @property
    def key(self) -> bytes: ...
    @property
    def bytes_received(self) -> int: ...
    @property
    def bytes_sent(self) -> int: ...


class PeerInfo(Protocol):
    """What a jumper reads of a peer."""

    @property
    def url(self) -> str: ...
    @property
    def up(self) -> bool: ...
    @property
    def inbound(self) -> bool: ...
    @property
    def persistent(self) -> bool: ...
    @property
    def key(self) -> bytes | None: ...


class Listening(Protocol):
    """What a jumper reads of a listener."""

    @property
    def url(self) -> PeerURL: ...


class JumpingNode(Protocol):
    """What a jumper needs of a node; `ygg.Core` is one."""

    @property
    def public_key(self) -> bytes: ...
    @property
    def listeners(self) -> Sequence[Listening]: ...
    def sessions(self) -> Sequence[SessionInfo]: ...
    def peers(self) -> Sequence[PeerInfo]: ...
    def publish(self, member: str, value: Any) -> None: ...
    async def node_info(self, key: bytes) -> Mapping[str, Any]: ...
    async def remote_self(self, key: bytes) -> object: ...
    async def call_peer(self, url: str) -> object: ...
    def remove_peer(self, url: str) -> None: ...


@dataclass(slots=True)
class DirectLink:
    """A link a jumper has made."""

    key: bytes
    """Public key of the node it leads to."""
    url: str
    """The URI it was made by, without query."""
    before: float
    """Seconds of the round trip through the network, before the link was made."""
    used_at: float
    """When the destination was last in use, by the jumper's clock."""
    judge_at: float
    """When it is to be judged next."""
    faults: int = 0
    """Judgements in a row that found it no better."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A destination that is left alone."""

    until: float
    seconds: float


class Jumper(Background):
    """Publishes where this node can be reached, and keeps direct links to the destinations in use, while entered.

    `clock` gives monotonic seconds (those of the event loop, unless given), `rng` spreads the rests, `local_addresses`
    says what a listener on every address stands for. Leaving it drops its links and takes back what it published.
    Belongs to one event loop.
    """

    def __init__(
        self,
        node: JumpingNode,
        config: JumperConfig | None = None,
        *,
        clock: Callable[[], float] = loop_time,
        rng: random.Random | None = None,
        local_addresses: Callable[[], Iterable[IPAddress]] = machine_addresses,
    ) -> None:
        self._node = node
        self._config = config or JumperConfig()
        self._clock = clock
        self._random = rng or random.Random()
        self._local_addresses = local_addresses
        self._links: dict[bytes, DirectLink] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._rests: dict[bytes, _Rest] = {}
        self._begun: deque[float] = deque()
        self._carried: dict[bytes, tuple[int, int]] | None = None
        self._looked_at = 0.0
        self._to_publish: list[str] = []
        self._published: list[str] = []
        self._service = PeriodicService(
            self._check,
            lambda: self._config.interval,
            name="ygg jumper",
            failed=lambda: _log.exception("a check for direct links failed"),
        )

    @property
    def busy(self) -> frozenset[bytes]:
        """The keys for which a search or a dial goes on."""
        return frozenset(self._tasks)

    def start(self) -> None:
        """Begin; does nothing when already started."""
        self._service.start()

    async def close(self) -> None:
        """Stop, drop the links made and publish nothing any more. Idempotent."""
        await self._service.stop()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for link in list(self._links.values()):
            self._drop(link, "the jumper ends")
        self._tell([])

    @property
    def links(self) -> list[DirectLink]:
        """The direct links there are."""
        return [replace(link) for link in self._links.values()]

    @property
    def published(self) -> list[str]:
        """The URIs this node publishes."""
        return list(self._published)

    async def _check(self) -> None:
        self.check()

    def check(self) -> None:
        """Look at listeners, sessions and links, and begin what is due. Runs by itself once started."""
        now = self._clock()
        if self._config.publish:
            listeners = (listener.url for listener in self._node.listeners)
            self._tell(own_uris(self._config.addresses, listeners, self._config.policy, self._local_addresses))
        used = self._used(now)
        peers = [peer for peer in self._node.peers() if peer.up]
        for link in list(self._links.values()):
            self._review(link, peers, link.key in used, now)
        self._seek(used, {peer.key for peer in peers}, now)

    def _tell(self, uris: list[str]) -> None:
        if uris == self._to_publish:
            return
        self._to_publish = uris
        try:
            self._node.publish(MEMBER, uris or None)
            self._published = uris
        except ConfigError as error:
            _log.warning("the addresses of this node are not published: %s", str(error))

    # Who is in use

    def _used(self, now: float) -> list[bytes]:
        """Return the destinations in use since the last look, the busiest first."""
        carried = {session.key: (session.bytes_sent, session.bytes_received) for session in self._node.sessions()}
        before, self._carried = self._carried, carried
        elapsed, self._looked_at = now - self._looked_at, now
        if before is None or elapsed <= 0:
            return []
        grown = {}
        for key, (sent, received) in carried.items():
            sent_before, received_before = before.get(key, (0, 0))
            if sent < sent_before or received < received_before:  # the session was made anew
                sent_before = received_before = 0
            total = sent - sent_before + received - received_before
            # What only the other side sends is its wish, not ours.
            if sent > sent_before and total >= self._config.rate * elapsed:
                grown[key] = total
        return sorted(grown, key=lambda key: -grown[key])

    # The links there are

    def _review(self, link: DirectLink, peers: Sequence[PeerInfo], used: bool, now: float) -> None:
        ways = [peer for peer in peers if peer.key == link.key]
        others = [peer for peer in ways if not _is(peer, link)]
        if used:
            link.used_at = now
        if len(others) == len(ways):
            del self._links[link.key]
            self._set_to_rest(link.key, now)
            _log.info("direct link %s is lost", link.url)
        elif any(not peer.inbound for peer in others) or (others and self._node.public_key > link.key):
            # Two that dial each other at the same moment keep one: the one the lower key made.
            self._drop(link, "another makes it needless")
        elif now - link.used_at >= self._config.idle:
            self._drop(link, "out of use")
            self._rests.pop(link.key, None)
        elif now >= link.judge_at and link.key not in self._tasks:
            self._begin(link.key, self._judge(link))

    async def _judge(self, link: DirectLink) -> None:
        try:
            after = await self._round_trip(link.key)
        except (YggError, OSError):
            after = float("inf")
        if self._links.get(link.key) is not link:
            return
        now = self._clock()
        if after <= link.before * self._config.margin:
            link.faults, link.judge_at = 0, now + JUDGE_AGAIN
            return
        link.faults += 1
        if link.faults >= MOST_FAULTS:
            self._drop(link, "no better")
            self._set_to_rest(link.key, now)

    def _drop(self, link: DirectLink, why: str) -> None:
        self._links.pop(link.key, None)
        _log.info("direct link %s dropped: %s", link.url, why)
        # The program may have added a peer of that URL by now.
        if any(_is(peer, link) for peer in self._node.peers()):
            try:
                self._node.remove_peer(link.url)
            except PeerUnknownError:
                pass

    # New links

    def _seek(self, used: Iterable[bytes], neighbours: set[bytes | None], now: float) -> None:
        self._rests = {key: rest for key, rest in self._rests.items() if now < rest.until + rest.seconds}
        while self._begun and now - self._begun[0] >= 60:
            self._begun.popleft()
        for key in used:
            searches = len(self._tasks.keys() - self._links.keys())
            if (
                searches >= self._config.concurrency
                or searches + len(self._links) >= self._config.maximum_links
                or len(self._begun) >= self._config.per_minute
            ):
                return
            if key not in neighbours and self._may_seek(key, now):
                self._begun.append(now)
                self._begin(key, self._search(key))

    def _may_seek(self, key: bytes, now: float) -> bool:
        rest = self._rests.get(key)
        return (
            key not in self._tasks
            and key not in self._links
            and key != self._node.public_key
            and (not self._config.keys or key in self._config.keys)
            and (rest is None or now >= rest.until)
        )

    async def _search(self, key: bytes) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._connect(key)
        except (YggError, OSError) as error:
            _log.debug("no direct link to %s: %s", key.hex(), str(error))
            found = False
        if not found:
            self._set_to_rest(key, self._clock())

    async def _connect(self, key: bytes) -> bool:
        urls = published_by(key, await self._node.node_info(key), self._config.policy)
        if not urls:
            return False
        before = await self._round_trip(key)
        for url in urls:
            try:
                await self._node.call_peer(str(url))
            except (YggError, OSError) as error:
                _log.debug("no direct link at %s: %s", url.identity, str(error))
                continue
            now = self._clock()
            self._links[key] = DirectLink(key, url.identity, before, now, now)
            _log.info("direct link %s is up", url.identity)
            return True
        return False

    async def _round_trip(self, key: bytes) -> float:
        """Return the shortest of some round trips to a node, in seconds."""
        shortest = float("inf")
        for _ in range(SAMPLES):
            start = self._clock()
            await self._node.remote_self(key)
            shortest = min(shortest, self._clock() - start)
        return shortest

    def _set_to_rest(self, key: bytes, now: float) -> None:
        former = self._rests.get(key)
        seconds = min(self._config.rest if former is None else former.seconds * 2, LONGEST_REST)
        # A tenth of chance, so that two nodes that failed together do not go on doing so.
        self._rests[key] = _Rest(now + seconds * (1 + self._random.random() / 10), seconds)

    def _begin(self, key: bytes, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[key] = asyncio.get_running_loop().create_task(work, name="ygg direct link")
        task.add_done_callback(lambda task: self._ended(key, task))

    def _ended(self, key: bytes, task: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("seeking a direct link failed", exc_info=error)


def _is(peer: PeerInfo, link: DirectLink) -> bool:
    return peer.up and not peer.inbound and not peer.persistent and peer.key == link.key and peer.url == link.url
