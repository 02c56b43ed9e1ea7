"""Which links may come in, and which makes room for another when places run out.

Places belong to links whose far side has shown that it holds its key; handshakes can be replayed, and those that have
shown nothing yet are *newcomers*, with a number of their own. A stranger takes places as fast as it makes keys: coming
first must not be enough to hold one. As in Bitcoin Core (`AttemptToEvictConnection`), the one that comes is let in and
another one goes, chosen so that an attacker would have to be better than honest peers in ways that cost something:
those with the shortest round trips stay, those that carried most traffic, those that carry most now, and of the rest
the older half. Of what remains goes the youngest in the most crowded place.

Three limits are looked at in turn, and the choice is among the links that make up the one that is passed:

    address     links from one address (IPv4) or one /64 (IPv6)
    strangers   all but a reserve, which is for keys that have had a link for long before
    all         strangers first

Only the limit for each key refuses the one that comes, for its owner has the places it may have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ygg.network.crowding import Grouping, Networks, crowding, networks_of

SHARE = 16
"""One in so many links is kept for each merit."""
LONG = 600.0
"""Seconds after which a link makes its key known."""


@dataclass(frozen=True, slots=True)
class IncomingLimits:
    """How many links listeners let in, and from where."""

    links: int = 256
    """Links whose far side has shown its key. Each over a plain socket takes two descriptors: half of the usual 1024
    are left to the program."""
    per_address: int = 64
    """Of these from one IPv4 address or one IPv6 /64; no limit where addresses do not tell hosts apart."""
    per_key: int = 8
    """Of these with one key."""
    reserved: int = 32
    """Of these for keys that were here before, a quarter of all at most."""
    newcomers: int = 128
    """Connections from the moment they are accepted until their far side has shown its key. The oldest in the most
    crowded place makes room, for an honest one needs but a few round trips."""
    remembered: int = 1024
    """Keys that are known to have been here before."""
    grouping: Grouping = networks_of
    """Tells which networks a host is in, the narrowest first: `per_address` counts in that one. The default takes
    loopback addresses for one crowd that only keys tell apart."""

    @property
    def for_strangers(self) -> int:
        """Links that keys which were not here before may have."""
        return self.links - min(self.reserved, self.links // 4)


DEFAULT_LIMITS = IncomingLimits()
"""Those of a node that is told of no others."""


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """What counts of a link when one has to go."""

    key: bytes
    """The far side's."""
    networks: Networks
    """Where it comes from, the narrowest first."""
    known: bool
    """Whether its key was here before."""
    age: float
    """Seconds since it came up."""
    latency: float
    """Its last round trip in seconds."""
    traffic: int
    """Bytes carried, both ways."""
    rate: int
    """Bytes per second over the last second, both ways."""


def to_end(links: Sequence[Incoming], newcomer: Incoming, limits: IncomingLimits) -> Incoming | None:
    """Return which link has to end so that `newcomer` may stay among `links`: none, one of them, or itself.

    More than one limit may be passed: ask again without the one returned.
    """
    if sum(link.key == newcomer.key for link in links) >= limits.per_key:
        return newcomer
    for scope, most, choice in _limited(links, newcomer, limits):
        if len(scope) >= most:
            return evicted(choice) if choice else newcomer
    return None


def _limited(
    links: Sequence[Incoming], newcomer: Incoming, limits: IncomingLimits
) -> Iterator[tuple[Sequence[Incoming], int, Sequence[Incoming]]]:
    """Yield for each limit the links it counts, how many it allows, and those of which one may go."""
    # The narrowest first: who fills one address has its own links to lose, not those of others. Where addresses tell
    # nothing there are no networks, and no such limit.
    if newcomer.networks:
        beside = [link for link in links if link.networks[:1] == newcomer.networks[:1]]
        yield beside, limits.per_address, beside
    strangers = [link for link in links if not link.known]
    if not newcomer.known:
        yield strangers, limits.for_strangers, strangers
    yield links, limits.links, strangers or links


def evicted(links: Sequence[Incoming]) -> Incoming:
    """Return the link that goes, of some: of those without merit the youngest in the most crowded place."""
    left = unprotected(links)
    crowd = crowding(link.networks for link in left)
    return max(left, key=lambda link: (crowd(link.networks), -link.age))


def unprotected(links: Sequence[Incoming]) -> list[Incoming]:
    """Return the links left when those that have earned their places are taken away; never none of some."""
    share = len(links) // SHARE
    # Each merit in turn protects its best of those that are left, so that no link takes two of the places kept.
    left = sorted(links, key=lambda link: link.latency)[share:]
    left = sorted(left, key=lambda link: link.traffic, reverse=True)[share:]
    left = sorted(left, key=lambda link: link.rate, reverse=True)[share:]
    return sorted(left, key=lambda link: link.age, reverse=True)[len(left) // 2 :]


class KnownKeys:
    """Keys that have had links for long; of too many those stay that have had them longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: dict[bytes, float] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._seconds

    def __len__(self) -> int:
        return len(self._seconds)

    def note(self, key: bytes, seconds: float) -> None:
        """A link with `key` that was up for so many seconds has ended."""
        # The short links of a key that is known add to what it has: one that comes and goes often is no stranger.
        if seconds < LONG and key not in self._seconds:
            return
        self._seconds[key] = self._seconds.get(key, 0.0) + seconds
        if len(self._seconds) > self._most:
            del self._seconds[min(self._seconds, key=lambda known: self._seconds[known])]
