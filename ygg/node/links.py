"""The links of a node: made by dialing and by listening, kept up, ended (protocol 0.5, Link identity and life cycle).

A record stands for each link there is or shall be. It is known by its URL without the query and the interface it leaves
by, and is of one of three kinds:

    persistent   configured: redialed after every failure, with growing pauses (`ygg.node.redial`), until it is removed
    ephemeral    dialed once: gone when the attempt fails or the link ends
    incoming     accepted by a listener: gone when the link ends

Everything the other side can do ends a link with a reason in the log and in the record, and nowhere else.

What a listener accepts is a newcomer until its link's far side has shown that it holds its key. Only then does it take
one of the places for incoming links, and another may have to make room: `ygg.node.admission` chooses.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import math
import random
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ygg.errors import (
    ConnectionAborted,
    LinkError,
    ListenerClosed,
    PeerExistsError,
    PeerUnknownError,
    SelfConnectionError,
    forget_frames,
)
from ygg.identity.address import address_of
from ygg.identity.keys import PrivateKey
from ygg.network.base import break_off
from ygg.network.crowding import Networks, most_crowded
from ygg.network.native.changes import NetworkChanges
from ygg.network.native.congestion import use_congestion
from ygg.node import handshake
from ygg.node.admission import DEFAULT_LIMITS, Incoming, IncomingLimits, KnownKeys, to_end
from ygg.node.carrier import Carrier
from ygg.node.handshake_io import meet
from ygg.node.redial import Demand, Redial
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.url import PeerURL
from ygg_c.link.link import Link
from ygg_c.node.node import Node

log = logging.getLogger("ygg.links")

CLOSING_TIME = 2.0
"""Seconds that a transport is given to tell that it is closed."""

QUIET = 600.0
"""Seconds between two warnings that places for incoming links have run out."""

Identity = tuple[str, str]
"""What tells records apart: URL without options, and source interface, if any."""


class Kind(enum.Enum):
    """Why a link exists."""

    PERSISTENT = "persistent"
    """Kept up until removed."""
    EPHEMERAL = "ephemeral"
    """Dialed once."""
    INCOMING = "incoming"
    """Accepted by a listener."""


@dataclass(eq=False)
class Record:
    """One link there is or shall be."""

    url: PeerURL
    """Where it leads, or where it came from."""
    interface: str
    """Interface it leaves by; empty for any."""
    kind: Kind
    """Why it exists."""
    carrier: Carrier | None = None
    """What carries the link while it is up."""
    last_error: str = ""
    """Why the last attempt or the last link failed; empty once a link is up."""
    last_error_at: int = 0
    """When that was, in ns of the node's clock."""
    task: asyncio.Task[Any] | None = None
    """What keeps a persistent link up, dials an ephemeral one, or welcomes an incoming one."""
    networks: Networks = ()
    """Where an incoming one comes from, the narrowest first."""
    ended: asyncio.Future[str] | None = None
    """Done with the reason when the present link has closed."""
    redials: Redial | None = None
    """The pauses of a persistent one."""

    @property
    def identity(self) -> Identity:
        """What no two records share: the URL without its query, and the interface."""
        return self.url.identity, self.interface

    @property
    def link(self) -> Link | None:
        """The engine's link while it is up."""
        return self.carrier.link if self.carrier else None

    @property
    def name(self) -> str:
        """The URL as logs may show it: without query and password."""
        return self.url.with_query().redacted()

    def redial(self) -> None:
        """End the pause before the next attempt, the present one's if it fails; nothing while the link is up."""
        if self.link is None and self.redials is not None:
            self.redials.at_once()

    def note(self, reason: str, now: int) -> None:
        """Remember why the last attempt or link failed, at `now`."""
        self.last_error, self.last_error_at = reason, now


class Links:
    """Dials, accepts, and keeps the records."""

    def __init__(
        self,
        node: Node,
        key: PrivateKey,
        manager: TransportManager,
        allowed: Collection[bytes] = frozenset(),
        limits: IncomingLimits = DEFAULT_LIMITS,
        rng: random.Random | None = None,
    ) -> None:
        self._node = node
        self._key = key
        self._manager = manager
        self._loop = asyncio.get_running_loop()
        self._records: dict[Identity, Record] = {}
        self._by_link: dict[Link, Record] = {}
        self._newcomers: dict[Record, None] = {}
        self._known = KnownKeys(limits.remembered)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listeners: list[ManagedListener] = []
        self._leaving: set[asyncio.Future[None]] = set()
        self._closed = False
        self.allowed = frozenset(allowed)
        """Keys that listeners admit; empty admits all."""
        self.limits = limits
        """How many links listeners let in."""
        self.counts: Counter[str] = Counter(incoming_evicted=0, incoming_refused=0, newcomers_dropped=0)
        """How often each thing happened to what came in."""
        self._quiet_until = -math.inf
        node.on_link_closed = self._on_link_closed
        node.on_link_proven = self._on_link_proven
        self._demand = Demand(self._loop, rng or random.Random())
        node.on_no_way = self._demand.note
        self._changes: NetworkChanges | None = None

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    @property
    def listeners(self) -> list[ManagedListener]:
        """The listeners that are open."""
        return list(self._listeners)

    # Dialing

    async def call(self, url: PeerURL, interface: str = "") -> bytes:
        """Make one attempt at a link that is not redialed; return the node's key. Raises what went wrong."""
        record = self._register(url, interface, Kind.EPHEMERAL)
        # A task of its own, which remove() and close() can cancel; whoever waits here hears of it.
        record.task = task = self._loop.create_task(self._dial(record))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            link = await task
        except BaseException as error:
            self._end(record)
            caller = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and not (caller and caller.cancelling()):
                raise ConnectionAborted("the node is stopped" if self._closed else "the peer was removed") from None
            raise
        if link.closed:
            raise LinkError(link.error)
        return link.key

    def add(self, url: PeerURL, interface: str = "") -> None:
        """Keep a link up from now on."""
        record = self._register(url, interface, Kind.PERSISTENT)
        if self._changes is None:
            self._changes = NetworkChanges(self._loop, self._on_network_changed)
        record.redials = redials = Redial(self._demand, url.options.max_backoff)
        record.task = self._start(self._keep_up(record, redials))

    def remove(self, url: PeerURL, interface: str = "") -> None:
        """End a link and redial it no more. Raises `PeerUnknownError`."""
        record = self._records.get((url.identity, interface))
        if record is None:
            raise PeerUnknownError
        self._end(record)

    def _end(self, record: Record, reason: str = "ErrClosed") -> None:
        if record.task is not None:
            record.task.cancel()
            record.task = None  # a cancelled task keeps the frame it was in, and that the record
        if record.link is not None:
            record.link.close(reason)
        self._forget(record)

    def retry_now(self) -> None:
        """Redial everything that waits."""
        for record in self._records.values():
            record.redial()

    def _register(self, url: PeerURL, interface: str, kind: Kind) -> Record:
        self._require_open()
        record = Record(url, interface, kind)
        if present := self._records.get(record.identity):
            present.redial()
            raise PeerExistsError
        self._records[record.identity] = record
        return record

    def _forget(self, record: Record) -> None:
        self._newcomers.pop(record, None)
        if self._records.get(record.identity) is record:
            del self._records[record.identity]

    async def _dial(self, record: Record) -> Link:
        transport = await self._manager.dial(record.url, source_interface=record.interface or None)
        return await self._open(record, transport, None)

    async def _keep_up(self, record: Record, redials: Redial) -> None:
        while True:
            try:
                link = await self._dial_again(record, redials)
                assert record.ended is not None
                await record.ended
                redials.lost(self._age(link))
                forever = False
            except Exception as error:
                forever = isinstance(error, SelfConnectionError)
                self._failed(record, error)
            await redials.rest(forever=forever)

    async def _dial_again(self, record: Record, redials: Redial) -> Link:
        def attempt() -> asyncio.Task[asyncio.Transport]:
            task = self._loop.create_task(self._manager.dial(record.url, source_interface=record.interface or None))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return task

        def failed(error: BaseException) -> None:
            record.note(str(error) or type(error).__name__, self._node.clock.now())
            forget_frames(error)

        return await self._open(record, await redials.first(attempt, break_off, failed), None)

    def _on_network_changed(self) -> None:
        for record in self._records.values():
            if record.link is None and record.redials is not None:
                record.redials.network_changed()

    def _failed(self, record: Record, error: Exception) -> None:
        record.note(str(error) or type(error).__name__, self._node.clock.now())
        # Only a transport that a user wrote raises anything but these.
        expected = isinstance(error, OSError | ValueError)
        log.log(
            logging.INFO if expected else logging.ERROR,
            "No link to %s: %s", record.name, record.last_error,
            exc_info=None if expected else error,
        )  # fmt: skip
        forget_frames(error)

    # Listening

    async def listen(self, url: PeerURL, interface: str = "", *, admit_all: bool = False) -> ManagedListener:
        """Accept links at `url`; with `admit_all` from every key, whatever `allowed` says."""
        self._require_open()
        listener = await self._manager.listen(url, source_interface=interface or None)
        if self._closed:
            listener.close()
            raise ConnectionAborted
        self._listeners.append(listener)
        self._start(self._accept(listener, admit_all))
        log.info("Listening at %s", listener.url.with_query().redacted())
        return listener

    async def _accept(self, listener: ManagedListener, admit_all: bool) -> None:
        try:
            while True:
                transport, remote = await listener.accept()
                url = _remote_url(listener.url, remote)
                record = Record(url, "", Kind.INCOMING, networks=self.limits.grouping(url.host))
                if self._closed or record.identity in self._records:
                    break_off(transport)
                    continue
                self._admit(record, transport, None if admit_all else self.allowed)
        except OSError as error:
            if not (self._closed or listener.released):
                self._lost(listener, error)
        finally:
            listener.close()
            self._listeners.remove(listener)

    def _lost(self, listener: ManagedListener, error: OSError) -> None:
        reason = "its network went down" if type(error) is ListenerClosed else str(error)
        log.log(
            logging.INFO if listener.remapped else logging.ERROR,
            "Listening at %s failed: %s", listener.url.with_query().redacted(),
            "its host is mapped to another network or to none" if listener.remapped else reason,
        )  # fmt: skip

    def _admit(self, record: Record, transport: asyncio.Transport, allowed: Collection[bytes] | None) -> None:
        self._records[record.identity] = record
        record.task = task = self._start(self._welcome(record, transport, allowed))
        task.add_done_callback(lambda task: self._welcomed(record, transport))
        self._newcomers[record] = None
        if len(self._newcomers) > self.limits.newcomers:
            dropped = most_crowded((newcomer, newcomer.networks) for newcomer in self._newcomers)
            self.counts["newcomers_dropped"] += 1
            log.debug("Too many newcomers: %s makes room", dropped.name)
            self._end(dropped, "too many newcomers")

    async def _welcome(self, record: Record, transport: asyncio.Transport, allowed: Collection[bytes] | None) -> None:
        try:
            await self._open(record, transport, allowed)
        except OSError as error:
            log.debug("No link from %s: %s", record.name, str(error))
            forget_frames(error)

    def _welcomed(self, record: Record, transport: asyncio.Transport) -> None:
        # Here rather than in _welcome, which never runs if it is cancelled early.
        if record.carrier is None:
            break_off(transport)
            self._forget(record)

    # Links

    async def _open(self, record: Record, transport: asyncio.Transport, allowed: Collection[bytes] | None) -> Link:
        """Shake hands and put the link up. The transport is the link's then, or closed."""
        options = record.url.options
        try:
            if options.congestion:
                use_congestion(transport.get_extra_info("socket"), options.congestion)
            meta, rest, size = await meet(transport, self._key, options, allowed)
            self._require_open()
            carrier = Carrier(self._node, transport, self._loop)
        except BaseException:
            break_off(transport)
            raise
        self._leaving.add(carrier.lost)
        carrier.lost.add_done_callback(self._leaving.discard)
        try:
            link = carrier.start(meta.key, max(options.priority, meta.priority), rest)
        except BaseException:
            carrier.close()
            raise
        link.rx_bytes += size
        link.tx_bytes += handshake.SIZE
        record.carrier, record.ended, record.last_error = carrier, self._loop.create_future(), ""
        self._by_link[link] = record
        log.info("Link up: %s %s, %s", record.kind.value, record.name, address_of(meta.key))
        # By what came behind the handshake, before the link was known here.
        if link.closed:
            self._on_link_closed(link, link.error)
        elif link.proven:
            self._on_link_proven(link)
        return link

    def _on_link_proven(self, link: Link) -> None:
        record = self._by_link.get(link)
        if record is None or record.kind is not Kind.INCOMING or link.closed:
            return
        self._newcomers.pop(record, None)
        links = {self._incoming(record, other): other for other, record in self._by_link.items() if self._placed(other)}
        newcomer = next(place for place, other in links.items() if other is link)
        others = [place for place in links if place is not newcomer]
        while (ending := to_end(others, newcomer, self.limits)) is not None:
            refused = ending is newcomer
            self._warn(record, others)
            self.counts["incoming_refused" if refused else "incoming_evicted"] += 1
            links[ending].close("no room for another incoming link" if refused else "it made room for another link")
            if refused:
                return
            others.remove(ending)

    def _placed(self, link: Link) -> bool:
        return link.proven and not link.closed and self._by_link[link].kind is Kind.INCOMING

    def _incoming(self, record: Record, link: Link) -> Incoming:
        return Incoming(
            key=link.key,
            networks=record.networks,
            known=link.key in self._known,
            age=self._age(link),
            latency=link.latency / 1e9,
            traffic=link.rx_bytes + link.tx_bytes,
            rate=link.rx_rate + link.tx_rate,
        )

    def _age(self, link: Link) -> float:
        return (self._node.clock.now() - link.since) / 1e9

    def _warn(self, record: Record, taken: Sequence[Incoming]) -> None:
        """Tell of places that have run out, but not of each link that comes then."""
        now = self._loop.time()
        if now < self._quiet_until:
            return
        self._quiet_until = now + QUIET
        beside = sum(link.networks[:1] == record.networks[:1] for link in taken)
        log.warning(
            "Too many incoming links: %d there, %d of them where %s comes from; see incoming_limits",
            len(taken), beside, record.name,
        )  # fmt: skip

    def _on_link_closed(self, link: Link, reason: str) -> None:
        record = self._by_link.pop(link, None)
        if record is None or record.carrier is None or record.ended is None:
            return
        carrier, record.carrier = record.carrier, None
        self._newcomers.pop(record, None)
        if link.proven:
            self._known.note(link.key, self._age(link))
        record.note(reason, self._node.clock.now())
        log.info("Link down: %s %s, %s: %s", record.kind.value, record.name, address_of(link.key), reason)
        if not record.ended.done():
            record.ended.set_result(reason)
        if record.kind is not Kind.PERSISTENT:
            self._forget(record)
        carrier.close()  # last: it may be a user's code that runs

    async def close(self) -> None:
        """End every link, dial and listener; return when nothing of them is left."""
        self._closed = True
        if self._changes is not None:
            self._changes.close()
        listeners, tasks = self.listeners, list(self._tasks)
        for listener in listeners:
            listener.close()
        for task in tasks:
            task.cancel()
        for link in list(self._by_link):
            link.close("ErrClosed")
            self._on_link_closed(link, "ErrClosed")
        self._records.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(listener.wait_closed() for listener in listeners))
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=CLOSING_TIME)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a task of ygg.node.links failed", "exception": error})

    def _require_open(self) -> None:
        if self._closed:
            raise ConnectionAborted("the node is stopped")


def _remote_url(listener: PeerURL, remote: str) -> PeerURL:
    """Return a listener's URL with its host replaced by an incoming connection's."""
    if listener.port is None:
        return listener.with_path(quote(remote))
    host, _, port = remote.rpartition(":")
    if not port.isdecimal():  # a transport of somebody's own may name its clients as it likes
        return listener.with_host(remote)
    return listener.with_host(host.strip("[]"), int(port))
