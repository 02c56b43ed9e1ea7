"""Public peers gathered from several lists and kept current.

How it works: each source keeps the list it last gave. A refresh asks all of them at once; one that fails keeps its old
list, and one that is slow holds no other back. After each answer the lists are merged in the order of the sources into
one snapshot, a tuple replaced as a whole, so any thread may read it. Subscribers hear of a snapshot that differs from
the one before.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping

from ygg.autopeer.builtin import BUILTIN
from ygg.autopeer.documents import MAX_SIZE, urls
from ygg.autopeer.peer import PublicPeer
from ygg.autopeer.sources import Source, SourceState, SourceStatus, Terms
from ygg.network import Network
from ygg.periodic import Background, PeriodicService

Snapshot = tuple[PublicPeer, ...]
"""All peers known at one time, in the order of the sources."""
Callback = Callable[[Snapshot], None]
"""Called with each new snapshot."""

_log = logging.getLogger("ygg.autopeer")


class PeerFetcher(Background):
    """Reads lists of public peers now, at intervals, and when asked.

    `sources` in order of preference: HTTP or HTTPS URLs, paths of files or of a checkout of the lists, and `BUILTIN`.
    Where two name the same link the earlier is believed, and the later fills in what it does not say.

    `network` is what HTTP goes through; `networks` gives single sources another one, or `None`, which skips the
    source, whatever its kind, and drops what it gave. With no network at all HTTP sources are skipped.

    `interval` is in seconds, as is `timeout` for one document; `max_size` is in bytes. `ssl_context` verifies HTTPS
    sources: the system's authorities and certifi's unless given. `clock` gives Unix seconds.

    `allow_local` takes peers on this machine and its links too. A stranger's list has no business there, where our own
    proxies listen: it is for lists of one's own.
    """

    def __init__(
        self,
        sources: Iterable[Source] = (BUILTIN,),
        *,
        network: Network | None = None,
        networks: Mapping[Source, Network | None] | None = None,
        interval: float = 3600,
        timeout: float = 30,
        max_size: int = MAX_SIZE,
        ssl_context: ssl.SSLContext | None = None,
        allow_local: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if interval <= 0 or timeout <= 0:
            raise ValueError("interval and timeout must be positive")
        self.interval = interval
        """Seconds between two refreshes."""
        self._terms = Terms(min(max_size, MAX_SIZE), timeout, ssl_context, allow_local)
        self._states = [SourceState(source) for source in dict.fromkeys(sources)]
        self._network = network
        self._networks = dict(networks or {})
        self._clock = clock
        self._snapshot: Snapshot = ()
        self._own: frozenset[str] = frozenset()
        self._callbacks: list[Callback] = []
        self._busy = asyncio.Lock()
        self._service = PeriodicService(
            self.refresh,
            lambda: self.interval,
            name="ygg peer fetcher",
            failed=lambda: _log.exception("a refresh of public peers failed"),
        )

    @property
    def peers(self) -> Snapshot:
        """The peers known now. Any thread may read this."""
        return self._snapshot

    @property
    def own(self) -> frozenset[str]:
        """The `identity` of each peer that is on a list of one's own: URLs alone, in a JSON array or one a line."""
        return self._own

    @property
    def running(self) -> bool:
        """Whether it refreshes by itself."""
        return self._service.running

    def status(self) -> list[SourceStatus]:
        """Return how each source is doing, in order."""
        return [state.status() for state in self._states]

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(peers)` on the event loop at each change from now on; returns what ends that."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def start(self) -> None:
        """Refresh now and then every `interval` seconds. Does nothing when already started."""
        self._service.start()

    async def close(self) -> None:
        """Stop refreshing; the snapshot stays."""
        await self._service.stop()

    async def refresh(self) -> Snapshot:
        """Ask every source now and return what is known once all have answered or failed; never raises for one.

        What a source gives is among `peers` as soon as it has answered.
        """
        async with self._busy:
            await asyncio.gather(*(self._refresh_one(state) for state in self._states))
        return self._snapshot

    def refresh_soon(self) -> None:
        """Have the running fetcher refresh before its interval is over. Any thread may call this."""
        self._service.kick()

    @property
    def network(self) -> Network | None:
        """The default network. Setting it asks again; what sources gave through the old one is kept until then."""
        return self._network

    @network.setter
    def network(self, network: Network | None) -> None:
        self._network = network
        self._networks_changed()

    def map_network(self, source: Source, network: Network | None) -> None:
        """Read `source` through `network` from now on; None skips the source and drops what it gave."""
        self._networks[source] = network
        self._networks_changed()

    def unmap_network(self, source: Source) -> None:
        """Read `source` through the default network again."""
        self._networks.pop(source, None)
        self._networks_changed()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources in order. Setting them keeps what those that stay have given."""
        return tuple(state.source for state in self._states)

    @sources.setter
    def sources(self, sources: Iterable[Source]) -> None:
        known = {state.source: state for state in self._states}
        self._states = [known.get(source) or SourceState(source) for source in dict.fromkeys(sources)]
        self._networks_changed()

    def _networks_changed(self) -> None:
        for state in self._states:
            if self._is_skipped(state):
                state.forget()
        self._publish()
        self.refresh_soon()

    def _network_of(self, state: SourceState) -> Network | None:
        return self._networks.get(state.source, self._network)

    def _is_skipped(self, state: SourceState) -> bool:
        # A file needs no network: only its own None skips it, not the absence of a default.
        return self._network_of(state) is None and (state.is_remote or state.source in self._networks)

    async def _refresh_one(self, state: SourceState) -> None:
        if self._is_skipped(state):
            return
        network = self._network_of(state)
        await state.refresh(network, self._terms, self._clock())
        if self._is_skipped(state):  # decided while the answer was on its way
            state.forget()
        self._publish()

    def _publish(self) -> None:
        own = [state.document for state in self._states if state.document and state.document.form == urls.FORM]
        self._own = frozenset(peer.identity for document in own for peer in document.peers)
        snapshot = self._merged()
        if snapshot == self._snapshot:
            return
        self._snapshot = snapshot
        for callback in tuple(self._callbacks):
            try:
                callback(snapshot)
            except Exception:
                _log.exception("a subscriber to public peers failed")

    def _merged(self) -> Snapshot:
        now = self._clock()
        merged: dict[str, PublicPeer] = {}
        for state in self._states:
            for peer in state.document.peers if state.document else ():
                current = peer.as_of(now)
                earlier = merged.get(peer.identity)
                merged[peer.identity] = earlier.completed(current) if earlier else current
        return tuple(merged.values())
