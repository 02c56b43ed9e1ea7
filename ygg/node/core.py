"""Core: a node - its identity, its links, its state, and what it asks of others."""

from __future__ import annotations

import asyncio
import logging
import math
import random as python_random
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv6Address, IPv6Network
from typing import Any, Self

from ygg.errors import AnswerError, ConnectionAborted, ConnectTimeout, KeyFormatError, QueryTimeout
from ygg.identity.address import address_of, subnet_of
from ygg.identity.certificate import Certificate
from ygg.identity.keys import PUBLIC_SIZE
from ygg.node import nodeinfo
from ygg.node.admission import DEFAULT_LIMITS, IncomingLimits
from ygg.node.driver import Driver
from ygg.node.events import (
    QUEUE,
    Callback,
    Event,
    Events,
    EventsLost,
    EventStream,
    PathFound,
    PathLost,
    PeerUp,
    PlaceChanged,
    SameIdentity,
    SessionClosed,
    SessionOpened,
)
from ygg.node.links.lifecycle import Kind, State
from ygg.node.links.links import Links
from ygg.node.links.records import LinkRecord
from ygg.node.state import LookupEntry, PathEntry, PeerInfo, SelfInfo, SessionEntry, TreeEntry
from ygg.strings import check_strings
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.url import PeerURL
from ygg_c.base import forks
from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random
from ygg_c.node.node import Node

log = logging.getLogger("ygg.core")

QUERY_TIMEOUT = 6.0
"""Seconds that another node has to answer a request."""
LOOKUPS_KEPT = 86400
"""Seconds for which `lookups()` tells of one."""
QUERY_REPEAT = 1.1
"""Seconds after which a request is sent once more: just over the second that must lie between two lookups."""


QUIET = 600.0
"""Seconds between two warnings that another program has this node's identity."""

OWN_KEY_AFTER = 10.0
"""Seconds from the first peer until the node looks for its own key: what it and others know of the tree has settled."""
OWN_KEY_INTERVAL = 600.0
"""Seconds between two such lookups."""

_EVIDENCE = {
    "record": "other nodes hear newer records of its key, which it has not made",
    "answer": "a lookup of its key has an answer from another place in the network",
}

_OF_ENGINE: dict[str, Callable[[Any], Event]] = {
    "session_opened": SessionOpened,
    "session_closed": SessionClosed,
    "path_found": PathFound,
    "path_lost": PathLost,
    "place": lambda place: PlaceChanged(*place),
    "same_identity": lambda what: SameIdentity(_EVIDENCE[what]),
    "lost": EventsLost,
}
"""What the engine tells, by its names for it."""


class Core:
    """A node of the overlay. Use it as an async context manager: it runs inside.

    ::

        async with Core(config.certificate, manager) as node:
            await node.listen("tls://[::]:0")
            node.add_peer("tls://peer.example:443")

    Belongs to the event loop it was started in, and to the process: in a child made by fork it raises `ForkedError`,
    and its links go on in the parent alone. Leaving it ends every link and listener and leaves nothing behind; it
    cannot be started again.
    """

    def __init__(
        self,
        certificate: Certificate,
        manager: TransportManager,
        *,
        allowed_public_keys: Collection[bytes] = (),
        group_password: str | bytes = b"",
        node_info: Mapping[str, Any] | None = None,
        node_info_privacy: bool = False,
        log_lookups: bool = False,
        incoming_limits: IncomingLimits = DEFAULT_LIMITS,
        random: Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Describe a node; nothing runs yet.

        `allowed_public_keys` (32 bytes each) may connect to our listeners, all when empty. Sessions work between nodes
        with the same `group_password`. `node_info` is told to nodes that ask, with build name, version and platform
        unless `node_info_privacy`; `ConfigError` when it takes more than 16384 bytes of JSON, and for strings that are
        no text. `log_lookups` has `lookups()` tell who has looked for a node. How many links our listeners let in, and
        from where, `incoming_limits` say. `random` and `clock` are for simulations alone: with a seeded one, and that
        of a `ygg.simulation.VirtualLoop`, every run is the same to the byte.
        """
        self._certificate = certificate
        self._manager = manager
        self._allowed = frozenset(_checked(key) for key in allowed_public_keys)
        check_strings(group_password, "the group password")
        self._password = group_password.encode() if isinstance(group_password, str) else group_password
        self._info = dict(node_info or {})
        self._privacy = node_info_privacy
        self._node_info = nodeinfo.encode(self._info, privacy=node_info_privacy)
        self._log_lookups = log_lookups
        self._limits = incoming_limits
        self._random = Random() if random is None else random
        self._clock = Clock() if clock is None else clock
        self._node: Node | None = None
        self._driver: Driver | None = None
        self._links: Links | None = None
        self._stopped = False
        self._events = Events()
        self._warned = -math.inf
        self._own_key_timer: asyncio.TimerHandle | None = None
        self._made_in = 0
        self._queries: dict[tuple[bytes, str], _Query] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Run the node. `ValueError` when it has run before."""
        if self._node is not None or self._stopped:
            raise ValueError("a node is started once")
        self._made_in = forks.current()
        self._node = Node(
            self._certificate.secret, group_password=self._password, random=self._random, clock=self._clock
        )
        self._node.nodeinfo = self._node_info
        self._node.keep_lookups = self._log_lookups
        self._node.on_error = self._report
        self._node.on_events = self._told
        self._driver = Driver(self._node, asyncio.get_running_loop(), self._clock)
        self._links = Links(
            self._node, self._certificate.private_key, self._manager, self._allowed, self._limits,
            python_random.Random(self._random.bytes(16)), self._tell,
        )
        self._driver.wake()

    async def stop(self) -> None:
        """End all links and listeners, fail all requests. Idempotent."""
        self._stopped = True
        if self._own_key_timer is not None:
            self._own_key_timer.cancel()
        node, self._node = self._node, None
        if node is None or self._links is None or self._driver is None:
            return
        if self._made_in != forks.current():
            return  # what there is belongs to the parent, and goes on there
        for query in self._queries.values():
            if not query.answer.done():
                query.answer.set_exception(ConnectionAborted("the node is stopped"))
                query.answer.exception()  # those who gave up waiting ask no more
        try:
            await self._links.close()
        finally:
            self._driver.close()
            node.close()
            self._events.close()

    def __repr__(self) -> str:
        return f"<Core {self.address}{'' if self._node else ' not running'}>"

    # Identity

    @property
    def public_key(self) -> bytes:
        """The 32-byte public key."""
        return self._certificate.public_key

    @property
    def random(self) -> Random:
        """Where the node's random bytes come from."""
        return self._random

    @property
    def clock(self) -> Clock:
        """What tells the node the time."""
        return self._clock

    @property
    def address(self) -> IPv6Address:
        """The address of this node."""
        return address_of(self.public_key)

    @property
    def subnet(self) -> IPv6Network:
        """The /64 that is routed to this node."""
        return subnet_of(self.public_key)

    @property
    def engine(self) -> Node:
        """The engine, for what attaches to it. `ConnectionAborted` while the node does not run."""
        if self._node is None:
            raise ConnectionAborted("the node does not run")
        forks.check(self._made_in)
        return self._node

    @property
    def manager(self) -> TransportManager:
        """What dials and listens for this node."""
        return self._manager

    # Links

    async def listen(
        self, url: str | PeerURL, *, source_interface: str = "", admit_all: bool = False
    ) -> ManagedListener:
        """Accept links at `url`; close the listener to end that. Its `url` and `address` say where it is bound.

        `admit_all` lets `allowed_public_keys` count for nothing here. Raises `URLError`, and what the network raises
        for an address it cannot bind.
        """
        return await self.links.listen(PeerURL.parse(url), source_interface, admit_all=admit_all)

    async def call_peer(self, url: str | PeerURL, *, source_interface: str = "") -> bytes:
        """Make one attempt at a link and return the peer's public key; the link is not redialed when it ends.

        Raises `URLError`, `PeerExistsError` (a waiting peer is redialed at once), and what went wrong: a `YggError`
        that is an `OSError` too, `HandshakeError` among them; `ConnectionAborted` when the peer is removed or the node
        stopped meanwhile.
        """
        return await self.links.call(PeerURL.parse(url), source_interface)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URL schemes it can dial: those with a transport in its manager."""
        return self._manager.schemes

    def add_peer(self, url: str | PeerURL, *, source_interface: str = "") -> None:
        """Stay connected to a peer: dial it now, and again whenever that fails or the link ends.

        The pauses between attempts double from 2 s up to the URL's `maxbackoff`, from a quarter of a second where a
        link has lived for long. They are short while traffic waits for a path, and end when the machine's network has
        got something new (Linux tells of that). Raises `URLError`, `UnknownSchemeError` where the
        scheme has no transport, `PeerExistsError` (a waiting peer is redialed at once).
        """
        links, parsed = self.links, PeerURL.parse(url)
        self._manager.require(parsed.scheme)
        links.add(parsed, source_interface)

    def remove_peer(self, url: str | PeerURL, *, source_interface: str = "") -> None:
        """End the link to a peer and redial it no more. The query of `url` counts for nothing. `PeerUnknownError`."""
        self.links.remove(PeerURL.parse(url), source_interface)

    def retry_peers_now(self) -> None:
        """Redial every peer that waits for its next attempt."""
        self.links.retry_now()

    @property
    def listeners(self) -> list[ManagedListener]:
        """The listeners that are open."""
        return self.links.listeners

    # Events

    def events(self, *kinds: type[Event], limit: int = QUEUE) -> EventStream:
        """Return an iterator of what happens from now on: `async for event in node.events(PeerUp, PeerDown): …`.

        Without `kinds` it gives events of all kinds (`ygg.node.events`). It holds up to `limit` events that wait for
        the reader, and says with `EventsLost` how many it has dropped; it ends when the node stops.
        """
        return self._events.stream(kinds, limit)

    def on_event(self, callback: Callback, *kinds: type[Event]) -> Callable[[], None]:
        """Call `callback(event)` for what happens from now on, of `kinds` or of all; returns what ends that.

        It is called as it happens, and has to return soon. What it raises is logged.
        """
        return self._events.subscribe(callback, kinds)

    async def connected(self, timeout: float | None = None) -> PeerInfo:
        """Return a peer once one is up that has shown that it holds its key; at once if there is one.

        Raises `ConnectTimeout` after `timeout` seconds, with why each peer that is dialed is not up, and
        `ConnectionAborted` when the node stops.
        """
        with self.events(PeerUp) as news:
            try:
                async with asyncio.timeout(timeout):
                    while (peer := self._proven_peer()) is None:
                        try:
                            await anext(news)
                        except StopAsyncIteration:
                            raise ConnectionAborted("the node is stopped") from None
            except TimeoutError:
                raise ConnectTimeout(f"no peer is up after {timeout:g} s: {self._why_no_peer()}") from None
        return peer

    def _proven_peer(self) -> PeerInfo | None:
        now = self._clock.now()
        proven = (record for record in self.links if record.state is State.PROVEN)
        return next((_peer_info(record, now) for record in proven if record.link is not None), None)

    def _why_no_peer(self) -> str:
        waiting = [f"{peer.redacted} ({peer.last_error or 'no answer yet'})" for peer in self.peers() if not peer.up]
        return "; ".join(waiting) or "none is configured, none has come"

    def _told(self, events: list[tuple[str, Any]]) -> None:
        for name, about in events:
            self._tell(_OF_ENGINE[name](about))

    def _look_for_own_key_in(self, seconds: float) -> None:
        self._own_key_timer = asyncio.get_running_loop().call_later(seconds, self._look_for_own_key)

    def _look_for_own_key(self) -> None:
        """Ask the network who has this node's key; another program that has it answers."""
        if self._node is not None and self._proven_peer() is not None:
            self._node.find(self.public_key)
        self._look_for_own_key_in(OWN_KEY_INTERVAL)

    def _tell(self, event: Event) -> None:
        now = self._clock.now() / 1e9
        if isinstance(event, PeerUp) and self._own_key_timer is None and not self._stopped:
            self._look_for_own_key_in(OWN_KEY_AFTER)
        if isinstance(event, SameIdentity) and now - self._warned >= QUIET:
            self._warned = now
            log.warning(
                "Another program uses the identity of this node, %s: %s. Each gets a part of what is sent to it.",
                self.address, event.evidence,
            )  # fmt: skip
        self._events.tell(event)

    # State

    def self_info(self) -> SelfInfo:
        """Return this node's place in the network."""
        state = self.engine.self_state()
        return SelfInfo(
            public_key=self.public_key,
            address=self.address,
            subnet=self.subnet,
            root=state["root"],
            coordinates=tuple(state["coords"]),
            routing_entries=state["routing_entries"],
        )

    def peers(self) -> list[PeerInfo]:
        """Return every link there is, and every one that is to be redialed."""
        now = self._clock.now()
        return [
            _peer_info(record, now)
            for record in self.links
            if record.link is not None or record.kind is Kind.PERSISTENT
        ]

    def tree(self) -> list[TreeEntry]:
        """Return the tree records held, sorted by key."""
        entries = self.engine.tree_records()
        found = [
            TreeEntry(entry["key"], address_of(entry["key"]), entry["parent"], entry["sequence"]) for entry in entries
        ]
        return sorted(found, key=lambda entry: entry.key)

    def paths(self) -> list[PathEntry]:
        """Return the known paths, sorted by key."""
        found = [
            PathEntry(path["key"], address_of(path["key"]), tuple(path["path"]), path["sequence"], path["broken"])
            for path in self.engine.known_paths()
        ]
        return sorted(found, key=lambda entry: entry.key)

    def sessions(self) -> list[SessionEntry]:
        """Return the sessions, sorted by key."""
        return [
            SessionEntry(
                key=session["key"],
                address=address_of(session["key"]),
                bytes_received=session["bytes_received"],
                bytes_sent=session["bytes_sent"],
                uptime=session["uptime"] / 1e9,
            )
            for session in self.engine.sessions()
        ]

    def lookups(self) -> list[LookupEntry]:
        """Return the last lookup of each node whose one has come in the last day, sorted by key; 4096 at most.

        None without `log_lookups`.
        """
        least = self.engine.wall - LOOKUPS_KEPT
        found = [
            LookupEntry(lookup["key"], address_of(lookup["key"]), tuple(lookup["path"]), lookup["time"])
            for lookup in self.engine.lookups()
            if lookup["time"] >= least
        ]
        return sorted(found, key=lambda entry: entry.key)

    def counters(self) -> dict[str, int]:
        """Return how often each thing was dropped or refused, by name."""
        return self.engine.counters() | self.links.counts

    # Requests

    def publish(self, member: str, value: Any) -> None:
        """Set a member of this node's NodeInfo, a JSON value; None takes it away.

        `ConfigError` when it is not JSON or takes the whole beyond 16384 bytes: then all stays as it was.
        """
        info = self._info | {member: value}
        if value is None:
            del info[member]
        self._node_info = nodeinfo.encode(info, privacy=self._privacy)
        self._info = info
        if self._node is not None:
            self._node.nodeinfo = self._node_info

    def replace_node_info(self, info: Mapping[str, Any] | None, *, privacy: bool | None = None) -> None:
        """Put another object in place of this node's NodeInfo; `privacy` stays as it is unless given.

        `ConfigError` as of `publish`.
        """
        hidden = self._privacy if privacy is None else privacy
        self._node_info = nodeinfo.encode(info, privacy=hidden)
        self._info, self._privacy = dict(info or {}), hidden
        if self._node is not None:
            self._node.nodeinfo = self._node_info

    @property
    def logs_lookups(self) -> bool:
        """Whether `lookups()` tells anything."""
        return self._log_lookups

    @property
    def own_node_info(self) -> dict[str, Any]:
        """What this node tells others about itself, without build name, version and platform."""
        return dict(self._info)

    async def node_info(self, key: bytes, *, timeout: float = QUERY_TIMEOUT) -> dict[str, Any]:
        """Ask the node of a 32-byte key for its NodeInfo; nothing in it is checked. `QueryTimeout`, `AnswerError`."""
        return nodeinfo.decode(await self._ask(key, "nodeinfo", timeout))

    async def remote_self(self, key: bytes, *, timeout: float = QUERY_TIMEOUT) -> dict[str, Any]:
        """Ask a node for its `key` (hex) and `routing_entries` (a decimal string). Raises as `node_info`."""
        return nodeinfo.decode(await self._ask(key, "self", timeout))

    async def remote_peers(self, key: bytes, *, timeout: float = QUERY_TIMEOUT) -> list[bytes]:
        """Ask a node for the keys of its peers, one a link. Raises as `node_info`."""
        return split_keys(await self._ask(key, "peers", timeout))

    async def remote_tree(self, key: bytes, *, timeout: float = QUERY_TIMEOUT) -> list[bytes]:
        """Ask a node for the keys of the tree records it holds. Raises as `node_info`."""
        return split_keys(await self._ask(key, "tree", timeout))

    @property
    def questions(self) -> list[tuple[bytes, str]]:
        """The questions that wait for an answer, by the key of the node and what is asked."""
        return list(self._queries)

    async def _ask(self, key: bytes, kind: str, timeout: float) -> bytes:
        # Answers carry no number: all who wait for the same one share it.
        name = (_checked(key), kind)
        query = self._queries.setdefault(name, _Query())
        query.waiting += 1
        try:
            return await self._answer(query.answer, *name, timeout)
        finally:
            query.waiting -= 1
            if not query.waiting:
                del self._queries[name]

    async def _answer(self, waiting: asyncio.Future[bytes], key: bytes, kind: str, timeout: float) -> bytes:
        def answered(key: bytes, kind: str, data: bytes) -> None:
            if not waiting.done():
                waiting.set_result(data)

        # A request is a packet as any other, and may get lost; no layer below repeats it.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (remaining := deadline - loop.time()) > 0:
            self.engine.request(key, kind, answered)
            await asyncio.wait({waiting}, timeout=min(remaining, QUERY_REPEAT))
            if waiting.done():
                return waiting.result()
        raise QueryTimeout("timed out waiting for response")

    @property
    def links(self) -> Links:
        """The links there are or shall be, which `peers()` and `listeners` tell of; for tests and studies.

        Raises `ConnectionAborted` while the node does not run.
        """
        if self._node is None or self._links is None:
            raise ConnectionAborted("the node does not run")
        forks.check(self._made_in)
        return self._links

    def _report(self, error: BaseException) -> None:
        log.error("A callback of the engine failed", exc_info=error)


class _Query:
    """A question that awaits its answer, and how many await it."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting = 0


def _peer_info(record: LinkRecord, now: int) -> PeerInfo:
    link = record.link
    return PeerInfo(
        url=record.url.identity,
        redacted=record.name,
        source_interface=record.interface,
        up=link is not None,
        inbound=record.kind is Kind.INCOMING,
        persistent=record.kind is Kind.PERSISTENT,
        key=link.key if link else None,
        address=address_of(link.key) if link else None,
        port=link.port if link else 0,
        priority=link.priority if link else record.url.options.priority,
        cost=link.cost if link else 0,
        bytes_received=link.rx_bytes if link else 0,
        bytes_sent=link.tx_bytes if link else 0,
        receive_rate=link.rx_rate if link else 0,
        send_rate=link.tx_rate if link else 0,
        uptime=(now - link.since) / 1e9 if link else 0.0,
        latency=link.latency / 1e9 if link and link.latency else None,
        last_error=record.last_error,
        last_error_age=(now - record.last_error_at) / 1e9 if record.last_error else None,
    )


def _checked(key: bytes) -> bytes:
    if len(key) != PUBLIC_SIZE:
        raise KeyFormatError("invalid public key length")
    return bytes(key)


def split_keys(data: bytes) -> list[bytes]:
    """Return the keys that an answer consists of. Raises `AnswerError` where it is no list of keys."""
    if len(data) % PUBLIC_SIZE:
        raise AnswerError("the answer is not a list of keys")
    return [data[place : place + PUBLIC_SIZE] for place in range(0, len(data), PUBLIC_SIZE)]
