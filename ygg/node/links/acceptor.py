"""Listeners, and the welcome of what they accept."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from urllib.parse import quote

from ygg.errors import ConnectionAborted, ListenerClosed, forget_frames
from ygg.network.base import break_off
from ygg.network.crowding import most_crowded
from ygg.node.admission import IncomingLimits
from ygg.node.links.lifecycle import Event, Kind, State
from ygg.node.links.live import LiveLinks
from ygg.node.links.records import LinkRecord, LinkRecords
from ygg.node.links.tasks import Tasks
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.url import PeerURL

log = logging.getLogger("ygg.links")


class Acceptor:
    """Accepts connections, and bounds how many are newcomers."""

    def __init__(
        self,
        manager: TransportManager,
        records: LinkRecords,
        live: LiveLinks,
        tasks: Tasks,
        limits: IncomingLimits,
        allowed: Collection[bytes],
    ) -> None:
        self._manager = manager
        self._records = records
        self._live = live
        self._tasks = tasks
        self._limits = limits
        self._listeners: list[ManagedListener] = []
        self.allowed: Collection[bytes] = frozenset(allowed)
        """Keys that listeners admit; empty admits all."""
        self.counts: Counter[str] = Counter(newcomers_dropped=0)
        """How often a newcomer had to make room for another."""

    @property
    def listeners(self) -> list[ManagedListener]:
        """The listeners that are open."""
        return list(self._listeners)

    async def listen(self, url: PeerURL, interface: str, admit_all: bool) -> ManagedListener:
        """Accept links at `url`; with `admit_all` from every key."""
        self._records.require_open()
        listener = await self._manager.listen(url, source_interface=interface or None)
        if self._records.closed:
            listener.close()
            raise ConnectionAborted
        self._listeners.append(listener)
        self._tasks.start_alone(self._accept(listener, admit_all))
        log.info("Listening at %s", listener.url.with_query().redacted())
        return listener

    async def _accept(self, listener: ManagedListener, admit_all: bool) -> None:
        try:
            while True:
                transport, remote = await listener.accept()
                url = _remote_url(listener.url, remote)
                record = LinkRecord(url, "", Kind.INCOMING, networks=self._limits.grouping(url.host))
                if self._records.closed or record.identity in self._records:
                    break_off(transport)
                    continue
                self._admit(record, transport, None if admit_all else self.allowed)
        except OSError as error:
            if not (self._records.closed or listener.released):
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

    def _admit(self, record: LinkRecord, transport: asyncio.Transport, allowed: Collection[bytes] | None) -> None:
        self._records.add(record)
        record.task = task = self._tasks.start_alone(self._welcome(record, transport, allowed))
        task.add_done_callback(lambda task: self._welcomed(record, transport))
        newcomers = self._records.newcomers
        if len(newcomers) > self._limits.newcomers:
            dropped = most_crowded((newcomer, newcomer.networks) for newcomer in newcomers)
            self.counts["newcomers_dropped"] += 1
            log.debug("Too many newcomers: %s makes room", dropped.name)
            self._records.remove(dropped, "too many newcomers")

    async def _welcome(
        self, record: LinkRecord, transport: asyncio.Transport, allowed: Collection[bytes] | None
    ) -> None:
        try:
            await self._live.open(record, transport, allowed)
        except OSError as error:
            log.debug("No link from %s: %s", record.name, str(error))
            forget_frames(error)

    def _welcomed(self, record: LinkRecord, transport: asyncio.Transport) -> None:
        # Here rather than in _welcome, which never runs if it is cancelled early.
        if record.carrier is None:
            break_off(transport)
        if record.state is State.HANDSHAKING:
            self._records.happen(record, Event.FAILED)

    def close(self) -> list[ManagedListener]:
        """Close the listeners; return them."""
        listeners = self.listeners
        for listener in listeners:
            listener.close()
        return listeners


def _remote_url(listener: PeerURL, remote: str) -> PeerURL:
    """Return a listener's URL with its host replaced by an incoming connection's."""
    if listener.port is None:
        return listener.with_path(quote(remote))
    host, _, port = remote.rpartition(":")
    if not port.isdecimal():  # a user's transport may name its clients as it likes
        return listener.with_host(remote)
    return listener.with_host(host.strip("[]"), int(port))
