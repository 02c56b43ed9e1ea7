"""A node kept connected through public peers: who is chosen, when, and when another takes their place.

Each check compares what the node has with what it should have, and adds at most one peer. A chosen peer gets
`patience` seconds to connect; until then it counts as on its way, so that a slow dial does not bring a crowd. One that
is down for longer is replaced, and for `rest` seconds comes after all others, the longest rested first. One that the
node refuses is no candidate for as long.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ygg.autopeer.fetcher import PeerFetcher, Snapshot
from ygg.autopeer.peer import SCHEMES, PublicPeer, place, plain_url
from ygg.autopeer.probe import Probe, nearest_first, tcp_probe
from ygg.errors import PeerUnknownError, UnknownSchemeError, URLError, YggError
from ygg.network import Network
from ygg.periodic import Background, PeriodicService, loop_time
from ygg.url import PeerURL

MAX_ATTEMPTS = 8
"""Candidates tried in one check until the node takes one."""

_log = logging.getLogger("ygg.autopeer")


class PeerInfo(Protocol):
    """What the manager reads of a peer of the node."""

    @property
    def url(self) -> str: ...
    @property
    def up(self) -> bool: ...
    @property
    def inbound(self) -> bool: ...
    @property
    def key(self) -> bytes | None: ...


class HostMap(Protocol):
    """What the manager reads of the node's `TransportManager`."""

    def network_for(self, host: str) -> Network: ...


class PeeringNode(Protocol):
    """What the manager needs of a node; `ygg.Core` is one."""

    @property
    def public_key(self) -> bytes: ...
    @property
    def schemes(self) -> Collection[str]: ...
    @property
    def manager(self) -> HostMap: ...
    def add_peer(self, url: str) -> object: ...
    def remove_peer(self, url: str) -> object: ...
    def peers(self) -> Sequence[PeerInfo]: ...


@dataclass(frozen=True, slots=True)
class AutoPeerConfig:
    """How many public peers to keep, of what kind.

    Of public lists none is taken unless both filters name something; those of one's own (`PeerFetcher.own`) are there
    to be used, and a filter that names nothing lets all of them pass. Raises `ValueError`, and `UnknownSchemeError`
    for a scheme that no public peer has.
    """

    countries: Iterable[str] = ()
    """Countries to choose from, as the lists name them; case, and dashes for spaces, do not matter."""
    schemes: Iterable[str] = ()
    """URL schemes to choose from; case does not matter."""
    minimum_connected: int = 2
    """Nodes to be connected to, however they were found."""
    minimum_connected_from_fetch: int = 0
    """Nodes to be connected to by dialing a peer from the lists."""
    check_interval: float = 60
    """Seconds between checks."""
    patience: float = 180
    """Seconds a chosen peer may be down before it is replaced."""
    rest: float = 3600
    """Seconds for which a peer that was replaced comes after all others, and one the node refused is left alone."""
    probe_candidates: int = 0
    """The number of best candidates whose round-trip time is measured, to prefer near ones; 0 measures none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "countries", frozenset(place(name) for name in _names(self.countries)))
        object.__setattr__(self, "schemes", frozenset(name.lower() for name in _names(self.schemes)))
        for scheme in self.schemes:
            if scheme not in SCHEMES:
                known = ", ".join(sorted(SCHEMES))
                raise UnknownSchemeError(f"no public peer has the scheme {scheme!r}: there are {known}")
        if self.check_interval <= 0:
            raise ValueError("check_interval must be positive")
        for name in ("minimum_connected", "minimum_connected_from_fetch", "patience", "rest", "probe_candidates"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")

    def admits(self, peer: PublicPeer) -> bool:
        """Tell whether a peer of a public list is of a wanted country and scheme."""
        return peer.country in self.countries and peer.scheme in self.schemes

    def admits_own(self, peer: PublicPeer) -> bool:
        """Tell the same of a peer on a list of one's own."""
        return (not self.countries or peer.country in self.countries) and (
            not self.schemes or peer.scheme in self.schemes
        )


def _names(names: Iterable[str]) -> Iterable[str]:
    # a lone string would otherwise be taken for its letters
    return (names,) if isinstance(names, str) else names


@dataclass(slots=True)
class _Chosen:
    """A peer the manager added."""

    url: str
    down_since: float | None


@dataclass(frozen=True, slots=True)
class _View:
    """What the node has at the moment of a check."""

    identities: frozenset[str]
    """Links it knows, up or not."""
    keys: frozenset[str]
    """Keys of the nodes it is connected to, and its own."""
    up: Mapping[str, str]
    """Links that are up and were dialed, with the key of the node each leads to."""
    connected: int
    """Nodes it is connected to."""


class AutoPeerManager(Background):
    """Keeps a node connected through peers that a `PeerFetcher` finds.

    As an async context manager it also runs the fetcher, unless that runs already. Peers it chose stay with the node
    when it ends. `rng` breaks ties, `clock` gives monotonic seconds (those of the event loop, unless given), `probe`
    measures the round-trip time of a candidate in seconds (by default a TCP dial through the network by which the node
    would reach it).
    """

    def __init__(
        self,
        fetcher: PeerFetcher,
        node: PeeringNode,
        config: AutoPeerConfig | None = None,
        *,
        rng: random.Random | None = None,
        clock: Callable[[], float] = loop_time,
        probe: Probe | None = None,
    ) -> None:
        self.fetcher = fetcher
        """Where the peers to choose from come from."""
        self._node = node
        self._config = config or AutoPeerConfig()
        self._random = rng or random.Random()
        self._clock = clock
        self._probe = probe or tcp_probe(node.manager.network_for)
        self._chosen: dict[str, _Chosen] = {}
        self._resting: dict[str, float] = {}
        self._refused: dict[str, float] = {}
        self._told_of_waiting = False
        self._busy = asyncio.Lock()
        self._service = PeriodicService(
            self.check,
            lambda: self._config.check_interval,
            name="ygg autopeering",
            failed=lambda: _log.exception("a check for public peers failed"),
        )
        self._undo: list[Callable[[], Awaitable[None] | None]] = []

    @property
    def config(self) -> AutoPeerConfig:
        """The filters and numbers in force. Setting them has the node checked soon; no peer is removed for it."""
        return self._config

    @config.setter
    def config(self, config: AutoPeerConfig) -> None:
        self._config = config
        self._told_of_waiting = False
        self.check_soon()

    @property
    def idle(self) -> bool:
        """Whether it does nothing, for want of a country or a scheme filter, and of a list of one's own."""
        return not (self._config.countries and self._config.schemes) and not self.fetcher.own

    @property
    def chosen(self) -> tuple[str, ...]:
        """URLs of the peers it added and has not replaced."""
        return tuple(chosen.url for chosen in self._chosen.values())

    def start(self) -> None:
        """Check at intervals, and whenever the fetcher has news. Does nothing when already started."""
        if self._service.running:
            return
        self._undo.append(self.fetcher.subscribe(self._on_peers))
        if not self.fetcher.running:
            self.fetcher.start()
            self._undo.append(self.fetcher.close)
        self._service.start()

    async def close(self) -> None:
        """Stop checking. The peers chosen stay with the node."""
        await self._service.stop()
        while self._undo:
            pending = self._undo.pop()()
            if pending is not None:
                await pending

    def check_soon(self) -> None:
        """Have the running manager check before its interval is over. Any thread may call this."""
        self._service.kick()

    async def check(self) -> str | None:
        """Check now; returns the URL of the peer that was added, if one was."""
        async with self._busy:
            if self.idle:
                self._tell_of_waiting()
                return None
            now = self._clock()
            view = self._look()
            stale = self._review(view, now)
            if not self._is_short(view, pending=self._pending(view, stale)):
                for identity in stale:
                    self._drop(identity, now)
                return None
            # One that stays down goes only when another takes its place: it may be this machine that has no network,
            # and then every candidate would be used up and laid to rest.
            added = await self._add_one(view, now)
            if added is not None and stale:
                self._drop(stale[0], now)
            return added

    def _tell_of_waiting(self) -> None:
        if self.fetcher.peers and not self._told_of_waiting:
            self._told_of_waiting = True
            missing = [name for name in ("countries", "schemes") if not getattr(self._config, name)]
            named = " and no ".join(missing)
            _log.warning("autopeering waits: AutoPeerConfig names no %s to choose public peers by", named)

    def _on_peers(self, peers: Snapshot) -> None:
        self._service.kick()

    def _look(self) -> _View:
        """Take stock of the node's peers."""
        identities, keys = set(), {self._node.public_key.hex()}
        up: dict[str, str] = {}
        connected: set[str] = set()
        for peer in self._node.peers():
            identity = _identity(peer.url)
            identities.add(identity)
            if peer.up:
                # A node may be linked twice, by two URLs: its key counts it once.
                key = peer.key.hex() if peer.key else identity
                connected.add(key)
                keys.add(key)
                if not peer.inbound:
                    up[identity] = key
        return _View(frozenset(identities), frozenset(keys), up, len(connected))

    def _review(self, view: _View, now: float) -> list[str]:
        """Note who is up and who is not; returns those down for too long, the longest first."""
        for identity in list(self._chosen):
            if identity not in view.identities:  # removed by the program
                del self._chosen[identity]
        for identity, chosen in self._chosen.items():
            if identity in view.up:
                chosen.down_since = None
            elif chosen.down_since is None:
                chosen.down_since = now
        patience = self._config.patience
        down = [
            (chosen.down_since, identity) for identity, chosen in self._chosen.items() if chosen.down_since is not None
        ]
        return [identity for since, identity in sorted(down) if now - since > patience]

    def _pending(self, view: _View, stale: list[str]) -> int:
        return sum(1 for identity in self._chosen if identity not in view.up and identity not in stale)

    def _is_short(self, view: _View, pending: int) -> bool:
        listed = {peer.identity for peer in self.fetcher.peers} | self._chosen.keys()
        # Those that were configured count as well where a list has them; so do those chosen that no list has any more.
        from_fetch = {view.up[identity] for identity in view.up.keys() & listed}
        return (
            view.connected + pending < self._config.minimum_connected
            or len(from_fetch) + pending < self._config.minimum_connected_from_fetch
        )

    def _drop(self, identity: str, now: float) -> None:
        chosen = self._chosen.pop(identity)
        self._resting[identity] = now + self._config.rest
        _log.info("public peer %s stayed down: dropped", identity)
        try:
            self._node.remove_peer(chosen.url)
        except PeerUnknownError:
            pass

    async def _add_one(self, view: _View, now: float) -> str | None:
        for peer in (await self._ranked(view, now))[:MAX_ATTEMPTS]:
            try:
                self._node.add_peer(peer.url)
            except YggError as error:
                self._refused[peer.identity] = now + self._config.rest
                _log.debug("public peer %s: %s", peer.identity, error)
            else:
                _log.info("public peer %s (%s) added", peer.identity, peer.country)
                self._chosen[peer.identity] = _Chosen(peer.url, now)
                return peer.url
        return None

    def candidates(self) -> list[PublicPeer]:
        """Return the peers that it would choose from now, the best first, without measuring any."""
        return self._candidates(self._look(), self._clock())

    def _candidates(self, view: _View, now: float) -> list[PublicPeer]:
        self._resting = _until_later(self._resting, now)
        self._refused = _until_later(self._refused, now)
        spoken = self._node.schemes
        candidates = [
            peer
            for peer in self.fetcher.peers
            if self._admits(peer)
            and peer.scheme in spoken   # by the node: lists name schemes whose extra is not installed
            and peer.identity not in view.identities
            and peer.key not in view.keys
            and peer.identity not in self._refused
        ]
        return sorted(candidates, key=lambda peer: (self._rest_of(peer), *_merit(peer), self._random.random()))

    async def _ranked(self, view: _View, now: float) -> list[PublicPeer]:
        candidates = self._candidates(view, now)
        count = self._config.probe_candidates
        if not count:
            return candidates
        nearest = await nearest_first(candidates[:count], self._probe)
        # One that was replaced may be near: it answers, and yet came to nothing.
        return sorted(nearest, key=self._rest_of) + candidates[count:]

    def _admits(self, peer: PublicPeer) -> bool:
        own = peer.identity in self.fetcher.own and self._config.admits_own(peer)
        return own or self._config.admits(peer)

    def _rest_of(self, peer: PublicPeer) -> float:
        """Return the time until which a peer comes after all others, 0 for one that was never replaced."""
        return self._resting.get(peer.identity, 0)


def _until_later(times: dict[str, float], now: float) -> dict[str, float]:
    return {identity: until for identity, until in times.items() if until > now}


def _merit(peer: PublicPeer) -> tuple[int, float, float]:
    """Rank a peer by what was measured, the least first; what was not lies between good and bad."""
    reachable = {True: 0, None: 1, False: 2}[peer.up]
    uptime = 50.0 if peer.uptime is None else peer.uptime
    response = float("inf") if peer.response_ms is None else peer.response_ms
    return reachable, -uptime, response


def _identity(uri: str) -> str:
    """Return a node's peer URI as `PublicPeer.identity` has it."""
    try:
        return plain_url(PeerURL.parse(uri)).identity
    except URLError:
        return uri
