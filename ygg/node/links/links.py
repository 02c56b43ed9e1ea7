"""All links of a node, as `ygg.node.core` sees them: called, kept, listened for, removed, closed together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterator

from ygg.errors import PeerUnknownError
from ygg.identity.keys import PrivateKey
from ygg.node.admission import DEFAULT_LIMITS, IncomingLimits
from ygg.node.events import Event
from ygg.node.links.acceptor import Acceptor
from ygg.node.links.dialer import Dialer
from ygg.node.links.live import LiveLinks
from ygg.node.links.records import LinkRecord, LinkRecords
from ygg.node.links.tasks import Tasks
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.url import PeerURL
from ygg_c.node.node import Node


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
        tell: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._records = LinkRecords()
        self._tasks = Tasks(asyncio.get_running_loop())
        self._live = LiveLinks(node, key, self._records, limits, tell)
        self._dialer = Dialer(node, manager, self._records, self._live, self._tasks, rng or random.Random())
        self._acceptor = Acceptor(manager, self._records, self._live, self._tasks, limits, allowed)

    def __iter__(self) -> Iterator[LinkRecord]:
        return iter(self._records)

    @property
    def allowed(self) -> Collection[bytes]:
        """Keys that listeners admit; empty admits all."""
        return self._acceptor.allowed

    @allowed.setter
    def allowed(self, keys: Collection[bytes]) -> None:
        self._acceptor.allowed = keys

    @property
    def counts(self) -> dict[str, int]:
        """How often each thing happened to what came in."""
        return {**self._live.places.counts, **self._acceptor.counts}

    @property
    def listeners(self) -> list[ManagedListener]:
        """The listeners that are open."""
        return self._acceptor.listeners

    async def call(self, url: PeerURL, interface: str = "") -> bytes:
        """Make one attempt at a link that is not redialed; return the node's key. Raises what went wrong."""
        return await self._dialer.call(url, interface)

    def add(self, url: PeerURL, interface: str = "") -> None:
        """Keep a link up from now on."""
        self._dialer.keep(url, interface)

    def remove(self, url: PeerURL, interface: str = "") -> None:
        """End a link and redial it no more. Raises `PeerUnknownError`."""
        record = self._records.get((url.identity, interface))
        if record is None:
            raise PeerUnknownError
        self._records.remove(record)

    def retry_now(self) -> None:
        """Redial everything that waits."""
        for record in self._records:
            record.redial()

    def network_changed(self) -> None:
        """Dial at once what is not up: the machine's network has changed, or it goes on after it was suspended."""
        self._dialer.network_changed()

    async def listen(self, url: PeerURL, interface: str = "", *, admit_all: bool = False) -> ManagedListener:
        """Accept links at `url`; with `admit_all` from every key, whatever `allowed` says."""
        return await self._acceptor.listen(url, interface, admit_all)

    async def close(self) -> None:
        """End every link, dial and listener; return when nothing of them is left."""
        self._records.close()
        self._dialer.close()
        listeners = self._acceptor.close()
        tasks = self._tasks.cancel()
        self._live.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(listener.wait_closed() for listener in listeners))
        await self._live.wait_closed()
