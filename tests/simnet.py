"""Routers in a world of their own, without stacks: a front of `ygg.simulation.World` that goes by engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ygg.simulation import Conditions, SimulatedLink, SimulatedNode, World
from ygg_c.link.wire import decode_uv
from ygg_c.testing.routers import RouterTap, send_message

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


class CountedLink:
    """A link between two routers, whose frames are counted, and vanish where a test says so."""

    def __init__(self, ends: tuple[Any, Any], link: SimulatedLink) -> None:
        self.ends = ends
        """The routers."""
        self.link = link
        """The world's."""
        self.links = link.links
        """The engine's, at each."""
        self.swallowed: set[int] = set()
        """Types of frames that vanish."""
        self.heard: dict[int, int] = {}
        """How many frames of each type were carried."""
        for wire in link.wires:
            wire.passing = self._passing

    @property
    def silent(self) -> bool:
        """Whether bytes vanish, as on a cable that is cut without a word."""
        return self.link.silent

    @silent.setter
    def silent(self, silent: bool) -> None:
        self.link.silent = silent

    def cut(self) -> None:
        """Close it at both ends."""
        self.link.cut()

    def _passing(self, data: bytes) -> bytes:
        passing, at = [], 0
        while at < len(data):
            size, start = decode_uv(data[at : at + 10])
            kind, end = data[at + start], at + start + size
            self.heard[kind] = self.heard.get(kind, 0) + 1
            if kind not in self.swallowed:
                passing.append(data[at:end])
            at = end
        return b"".join(passing)


class Routers:
    """Engines made by `make(secret, random=...)` (RouterTap or its kin) and the links between them."""

    def __init__(self, seed: object = 0, make: Callable[..., Any] = RouterTap) -> None:
        self.world = World(seed, make=make)
        self._places: dict[Any, SimulatedNode] = {}
        self._links: list[CountedLink] = []
        self.run = self.world.run

    @property
    def now(self) -> int:
        """The time in ns."""
        return self.world.now

    @property
    def wall(self) -> int:
        """Unix seconds."""
        return self.world.wall

    @property
    def nodes(self) -> list[Any]:
        """All that are there, oldest first."""
        return list(self._places)

    @property
    def links(self) -> list[CountedLink]:
        """Those that no end has closed, oldest first."""
        self._links = [link for link in self._links if link.link in self.world.links]
        return list(self._links)

    def add(self, number: int) -> Any:
        """Add the router whose key has a number."""
        place = self.world.add(number)
        self._places[place.engine] = place
        return place.engine

    def remove(self, node: Any) -> None:
        """Stop a router, and cut its links."""
        self.world.remove(self._places.pop(node).number)

    def join(self, a: Any, b: Any, delay: float = 0.001, priority: int = 0) -> CountedLink:
        """Link two routers, `delay` seconds apart."""
        one, other = (self._places[node].number for node in (a, b))
        link = self.world.join(one, other, Conditions(delay=delay), priority=priority, acknowledges=False)
        counted = CountedLink((a, b), link)
        self._links.append(counted)
        return counted

    def turn(self, node: Any) -> None:
        """Give a router a turn, and note when it wants the next."""
        self._places[node].turn()

    def send(self, source: Any, dest: Any, payload: bytes) -> None:
        """Send a message from one router to another's key."""
        source.turn(self.now, self.wall)
        send_message(source, dest.key, payload)
        self.turn(source)

    def close(self) -> None:
        """Stop every router."""
        self.world.close()
        self._places.clear()
        self._links.clear()
