"""The places for incoming links: who takes one, and whose link ends for it. `ygg.node.admission` has the rules."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from ygg.node.admission import Incoming, IncomingLimits, KnownKeys, to_end
from ygg.node.links.lifecycle import Kind
from ygg.node.links.records import LinkRecord
from ygg_c.base.clock import Clock
from ygg_c.link.link import Link

log = logging.getLogger("ygg.links")

QUIET = 600.0
"""Seconds between two warnings that places for incoming links have run out."""


class Places:
    """Gives places to links that were accepted and have proven their keys."""

    def __init__(
        self, clock: Clock, loop: asyncio.AbstractEventLoop, limits: IncomingLimits, records: Mapping[Link, LinkRecord]
    ) -> None:
        self._clock = clock
        self._loop = loop
        self._records = records
        self._known = KnownKeys(limits.remembered)
        self._quiet_until = -math.inf
        self.limits = limits
        """How many links listeners let in."""
        self.counts: Counter[str] = Counter(incoming_evicted=0, incoming_refused=0)
        """How often a link made room, and how often there was none."""

    def take(self, link: Link, record: LinkRecord) -> None:
        """Give a place to a link that has come in and is proven now; that one or others may be closed for it."""
        links = {self._incoming(record, other): other for other, record in self._records.items() if self._placed(other)}
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

    def ended(self, link: Link) -> None:
        """Note that a proven link has ended: its key is known for having been here."""
        self._known.note(link.key, self._age(link))

    def _placed(self, link: Link) -> bool:
        return link.proven and not link.closed and self._records[link].kind is Kind.INCOMING

    def _incoming(self, record: LinkRecord, link: Link) -> Incoming:
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
        return (self._clock.now() - link.since) / 1e9

    def _warn(self, record: LinkRecord, taken: Sequence[Incoming]) -> None:
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
