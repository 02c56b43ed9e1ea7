"""A network of engine nodes in one process: routers in a world of their own, without stacks, joined by pipes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ygg.simulation import Conditions, SimulatedLink, SimulatedNode, World
from ygg_c.link.wire import decode_uv
from ygg_c.testing.routers import RouterTap, send_message

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


class Pipe:
    """One connection between two nodes: a link on each, and the bytes under way."""

    def __init__(self, ends: tuple[Any, Any], link: SimulatedLink) -> None:
        self.ends = ends
        self.link = link
        self.links = link.links
        self.swallowed: set[int] = set()
        """Types of frames that vanish."""
        self.heard: dict[int, int] = {}
        """How many frames of each type were carried."""
        for wire in link.wires:
            wire.passing = self._passing

    @property
    def deaf(self) -> bool:
        """Whether bytes vanish, as on a cable that is cut without a word."""
        return self.link.silent

    @deaf.setter
    def deaf(self, deaf: bool) -> None:
        self.link.silent = deaf

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


class Network:
    """Nodes made by `make(secret, random=...)` (RouterTap or its kin), joined by pipes, run under virtual time."""

    def __init__(self, seed: object = 0, make: Callable[..., Any] = RouterTap) -> None:
        self.world = World(seed, make=make)
        self._places: dict[Any, SimulatedNode] = {}
        self._pipes: list[Pipe] = []
        self.after = self.world.timeline.after
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
    def pipes(self) -> list[Pipe]:
        """Those that no end has closed, oldest first."""
        self._pipes = [pipe for pipe in self._pipes if pipe.link in self.world.links]
        return list(self._pipes)

    def add(self, number: int) -> Any:
        """Add the node whose key has the seed `number`."""
        place = self.world.add(number)
        self._places[place.engine] = place
        return place.engine

    def remove(self, node: Any) -> None:
        """Stop a node: its pipes close."""
        self.world.remove(self._places.pop(node).number)

    def join(self, a: Any, b: Any, delay: int = MILLISECOND, priority: int = 0) -> Pipe:
        """Connect two nodes with `delay` ns each way."""
        numbers = (self._places[node].number for node in (a, b))
        link = self.world.join(*numbers, Conditions(delay=delay / SECOND), priority=priority, acknowledges=False)
        pipe = Pipe((a, b), link)
        self._pipes.append(pipe)
        return pipe

    def cut(self, pipe: Pipe) -> None:
        """Close a pipe at both ends."""
        pipe.link.cut()

    def settle(self, node: Any) -> None:
        """Run a node's turn, and note when it wants the next."""
        self._places[node].turn()

    def run_until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Let virtual time pass until a condition holds, at most so long; tell whether it does."""
        return self.world.run(seconds, condition)

    def send(self, source: Any, dest: Any, payload: bytes) -> None:
        """Send a message from one node to another's key."""
        source.turn(self.now, self.wall)
        send_message(source, dest.key, payload)
        self.settle(source)

    def close(self) -> None:
        """Stop every node."""
        self.world.close()
        self._places.clear()
        self._pipes.clear()
