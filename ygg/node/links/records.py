"""The records of a node's links, and what their states do to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ygg.errors import ConnectionAborted, PeerExistsError
from ygg.network.crowding import Networks
from ygg.node.carrier import Carrier
from ygg.node.links.lifecycle import FIRST, Event, Kind, State, next_state
from ygg.node.redial import Redial
from ygg.url import PeerURL
from ygg_c.link.link import Link

Identity = tuple[str, str]
"""What tells records apart: URL without options, and source interface, if any."""

NEWCOMER = frozenset({State.HANDSHAKING, State.UP})
"""The states in which an incoming link is a newcomer: its far side has shown nothing yet."""


@dataclass(eq=False)
class LinkRecord:
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

    def __post_init__(self) -> None:
        self._state = FIRST[self.kind]

    @property
    def state(self) -> State:
        """How far the link is."""
        return self._state

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

    @property
    def is_newcomer(self) -> bool:
        """Whether it came in, and its far side has not shown that it holds its key."""
        return self.kind is Kind.INCOMING and self._state in NEWCOMER

    def happen(self, event: Event) -> State:
        """Go on to the state that the table has for `event`, and return it."""
        self._state = next_state(self.kind, self._state, event)
        return self._state

    def redial(self) -> None:
        """End the pause before the next attempt, the present one's if it fails; nothing while the link is up."""
        if self.link is None and self.redials is not None:
            self.redials.at_once()

    def note(self, reason: str, now: int) -> None:
        """Remember why the last attempt or link failed, at `now`."""
        self.last_error, self.last_error_at = reason, now


class LinkRecords:
    """Those that are not closed, by what they are known by; and which of them are newcomers."""

    def __init__(self) -> None:
        self._records: dict[Identity, LinkRecord] = {}
        self._newcomers: dict[LinkRecord, None] = {}
        self.closed = False
        """Whether the node is stopped, so that there will be no more."""

    def __iter__(self) -> Iterator[LinkRecord]:
        return iter(list(self._records.values()))

    def __contains__(self, identity: Identity) -> bool:
        return identity in self._records

    def get(self, identity: Identity) -> LinkRecord | None:
        """Return the record that is known by `identity`, if any."""
        return self._records.get(identity)

    @property
    def newcomers(self) -> list[LinkRecord]:
        """The newcomers, the oldest first."""
        return list(self._newcomers)

    def add(self, record: LinkRecord) -> None:
        """Take in a new record. Raises `PeerExistsError` where there is one already, which is dialed at once then."""
        self.require_open()
        if present := self._records.get(record.identity):
            present.redial()
            raise PeerExistsError
        self._records[record.identity] = record
        self._sort(record)

    def happen(self, record: LinkRecord, event: Event) -> State:
        """Tell a record what has happened, act on its new state, and return that."""
        state = record.happen(event)
        self._sort(record)
        return state

    def remove(self, record: LinkRecord, reason: str = "ErrClosed") -> None:
        """End a record: what works for it is cancelled, its link closed with `reason`."""
        if record.task is not None:
            record.task.cancel()
            record.task = None  # a cancelled task keeps the frame it was in, and that the record
        if record.link is not None:
            record.link.close(reason)
        self.happen(record, Event.REMOVED)

    def close(self) -> None:
        """Remove all, and take in no more. What works for them is left to its owner."""
        self.closed = True
        for record in self:
            self.happen(record, Event.REMOVED)

    def require_open(self) -> None:
        """Raise `ConnectionAborted` if the node is stopped."""
        if self.closed:
            raise ConnectionAborted("the node is stopped")

    def _sort(self, record: LinkRecord) -> None:
        if not record.is_newcomer:
            self._newcomers.pop(record, None)
        elif record not in self._newcomers:
            self._newcomers[record] = None
        if record.state is State.CLOSED and self._records.get(record.identity) is record:
            del self._records[record.identity]
