"""Attempts at links: one, or one after the other for as long as the peer is configured."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from ygg.errors import ConnectionAborted, LinkError, SelfConnectionError, forget_frames
from ygg.network.base import Watch, break_off
from ygg.node.links.lifecycle import Event, Kind, State
from ygg.node.links.live import LiveLinks
from ygg.node.links.records import LinkRecord, LinkRecords
from ygg.node.links.tasks import Tasks
from ygg.node.redial import Demand, Redial
from ygg.transport.manager import TransportManager
from ygg.url import PeerURL
from ygg_c.base.clock import Clock
from ygg_c.link.link import Link
from ygg_c.node.node import Node

log = logging.getLogger("ygg.links")


class Dialer:
    """Dials ephemeral links once, and persistent ones again and again."""

    def __init__(
        self, node: Node, manager: TransportManager, records: LinkRecords, live: LiveLinks, tasks: Tasks,
        rng: random.Random
    ) -> None:
        self._clock: Clock = node.clock
        self._manager = manager
        self._records = records
        self._live = live
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._demand = Demand(self._loop, rng)
        self._watch: Watch | None = None
        node.on_no_way = self._demand.note

    async def call(self, url: PeerURL, interface: str) -> bytes:
        """Make one attempt at a link that is not redialed; return the node's key. Raises what went wrong."""
        record = LinkRecord(url, interface, Kind.EPHEMERAL)
        self._records.add(record)
        # A task of its own, which a removal can cancel without cancelling the caller.
        record.task = task = self._tasks.start(self._attempt(record, lambda: self._dial(record)))
        try:
            link = await task
        except BaseException as error:
            self._records.remove(record)
            caller = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and not (caller and caller.cancelling()):
                reason = "the node is stopped" if self._records.closed else "the peer was removed"
                raise ConnectionAborted(reason) from None
            raise
        if link.closed:
            raise LinkError(link.error)
        return link.key

    def keep(self, url: PeerURL, interface: str) -> None:
        """Keep a link up from now on."""
        record = LinkRecord(url, interface, Kind.PERSISTENT)
        self._records.add(record)
        if self._watch is None:
            self._watch = self._manager.watch(self.network_changed)
        record.redials = redials = Redial(self._demand, url.options.max_backoff)
        record.task = self._tasks.start_alone(self._keep_up(record, redials))

    async def _dial(self, record: LinkRecord) -> asyncio.Transport:
        try:
            return await self._manager.dial(record.url, source_interface=record.interface or None)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A user's transport lets it through of a task of its own: the attempt has failed, and is not cancelled.
            raise ConnectionAborted("the transport's dial was cancelled") from error

    async def _dial_often(self, record: LinkRecord, redials: Redial) -> asyncio.Transport:
        def failed(error: BaseException) -> None:
            self._note(record, error)
            forget_frames(error)

        return await redials.first(lambda: self._tasks.start(self._dial(record)), break_off, failed)

    async def _attempt(self, record: LinkRecord, dial: Callable[[], Awaitable[asyncio.Transport]]) -> Link:
        """Go from the dial to a link that is up. Raises what went wrong."""
        self._records.happen(record, Event.DIAL)
        try:
            transport = await dial()
            if self._records.happen(record, Event.CONNECTED) is State.CLOSED:
                break_off(transport)  # of a user's transport that has not heeded the cancellation
                raise ConnectionAborted("the peer was removed")
            return await self._live.open(record, transport, None)
        except Exception:
            self._records.happen(record, Event.FAILED)
            raise

    async def _keep_up(self, record: LinkRecord, redials: Redial) -> None:
        while True:
            forever = False
            try:
                link = await self._attempt(record, lambda: self._dial_often(record, redials))
                assert record.ended is not None
                await record.ended
                redials.lost(self._live.age(link))
            except Exception as error:
                forever = isinstance(error, SelfConnectionError)
                self._failed(record, error)
            if record.state is State.CLOSED:
                return
            await redials.rest(forever=forever)

    def network_changed(self) -> None:
        """Dial at once what is not up: the machine's network has changed, or it goes on after it was suspended."""
        for record in self._records:
            if record.link is None and record.redials is not None:
                record.redials.network_changed()

    def _note(self, record: LinkRecord, error: BaseException) -> None:
        record.note(str(error) or type(error).__name__, self._clock.now())

    def _failed(self, record: LinkRecord, error: Exception) -> None:
        self._note(record, error)
        # Only a transport that a user wrote raises anything but these.
        expected = isinstance(error, OSError | ValueError)
        log.log(
            logging.INFO if expected else logging.ERROR,
            "No link to %s: %s", record.name, record.last_error,
            exc_info=None if expected else error,
        )  # fmt: skip
        forget_frames(error)

    def close(self) -> None:
        """Watch networks no more."""
        if self._watch is not None:
            self._watch.close()
