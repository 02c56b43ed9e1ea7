"""The links that are up: made on a transport by the handshake, and told by the engine that they are proven or ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from ygg.errors import ConnectionAborted
from ygg.identity.address import address_of
from ygg.identity.keys import PrivateKey
from ygg.network.base import break_off
from ygg.network.native.congestion import use_congestion
from ygg.node import handshake
from ygg.node.admission import IncomingLimits
from ygg.node.carrier import Carrier
from ygg.node.events import Event as NodeEvent
from ygg.node.events import PeerDown, PeerUp, SameIdentity
from ygg.node.handshake_io import shake_hands
from ygg.node.links.lifecycle import Event, Kind, State
from ygg.node.links.ownkey import OwnKey
from ygg.node.links.places import Places
from ygg.node.links.records import LinkRecord, LinkRecords
from ygg_c.link.link import Link
from ygg_c.node.node import Node

log = logging.getLogger("ygg.links")

CLOSING_TIME = 2.0
"""Seconds that a transport is given to tell that it is closed."""


class LiveLinks:
    """Brings links up, and has their records follow what the engine tells of them."""

    def __init__(
        self,
        node: Node,
        key: PrivateKey,
        records: LinkRecords,
        limits: IncomingLimits,
        tell: Callable[[NodeEvent], None],
    ) -> None:
        self._node = node
        self._key = key
        self._loop = asyncio.get_running_loop()
        self._records = records
        self._by_link: dict[Link, LinkRecord] = {}
        self._leaving: set[asyncio.Future[None]] = set()
        self._tell = tell
        self._told_up: set[Link] = set()
        self._own_key = OwnKey(self._loop, lambda evidence: tell(SameIdentity(evidence)))
        self.places = Places(node.clock, self._loop, limits, self._by_link)
        """The places of those that came in."""
        node.on_link_closed = self._on_closed
        node.on_link_proven = self._on_proven

    def age(self, link: Link) -> float:
        """Return the seconds since a link came up."""
        return (self._node.clock.now() - link.since) / 1e9

    async def open(self, record: LinkRecord, transport: asyncio.Transport, allowed: Collection[bytes] | None) -> Link:
        """Shake hands and put the link up. The transport is the link's then, or closed."""
        options = record.url.options
        try:
            if options.congestion:
                use_congestion(transport.get_extra_info("socket"), options.congestion)
            meta, rest, size = await shake_hands(transport, self._key, options, allowed)
            self._require(record)
            carrier = Carrier(self._node, transport, self._loop)
        except BaseException as error:
            break_off(transport)
            self._own_key.failed(record.kind is Kind.INCOMING, record.name, error)
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
        self._established(record, carrier, link)
        return link

    def _require(self, record: LinkRecord) -> None:
        if record.state is State.CLOSED:
            raise ConnectionAborted("the peer was removed")

    def _established(self, record: LinkRecord, carrier: Carrier, link: Link) -> None:
        record.carrier, record.ended, record.last_error = carrier, self._loop.create_future(), ""
        self._by_link[link] = record
        self._records.happen(record, Event.ESTABLISHED)
        log.info("Link up: %s %s, %s", record.kind.value, record.name, address_of(link.key))
        # By what came behind the handshake, before the link was known here.
        if link.closed:
            self._on_closed(link, link.error)
        elif link.proven:
            self._on_proven(link)

    def _on_proven(self, link: Link) -> None:
        record = self._by_link.get(link)
        if record is None or link.closed:
            return
        self._records.happen(record, Event.PROVED)
        if record.kind is Kind.INCOMING:
            self.places.take(link, record)
        if not link.closed:
            self._told_up.add(link)
            self._tell(PeerUp(link.key, record.url.identity, record.name, record.kind is Kind.INCOMING))

    def _on_closed(self, link: Link, reason: str) -> None:
        record = self._by_link.pop(link, None)
        if record is None or record.carrier is None or record.ended is None:
            return
        carrier, record.carrier = record.carrier, None
        if link.proven:
            self.places.ended(link)
        record.note(reason, self._node.clock.now())
        log.info("Link down: %s %s, %s: %s", record.kind.value, record.name, address_of(link.key), reason)
        if not record.ended.done():
            record.ended.set_result(reason)
        self._records.happen(record, Event.LOST)
        if link in self._told_up:
            self._told_up.discard(link)
            inbound = record.kind is Kind.INCOMING
            self._tell(PeerDown(link.key, record.url.identity, record.name, inbound, reason))
        carrier.close()  # last: it may be a user's code that runs

    def close(self) -> None:
        """End every link."""
        self._own_key.close()
        for link in list(self._by_link):
            link.close("ErrClosed")
            self._on_closed(link, "ErrClosed")

    async def wait_closed(self) -> None:
        """Return when the transports have told that they are closed, or have had the time to."""
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=CLOSING_TIME)
