"""A network of engine nodes in one process: in-memory byte pipes with a delay, under virtual time, from a seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.link import Link, PySink
from ygg_c.link.wire import decode_uv
from ygg_c.routing.router import Router

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
WALL = 1_700_000_000
WHOLE = 1 << 30
"""More than a link ever has under way: what it hands out then ends with a frame."""


class Pipe:
    """One connection between two nodes: a link on each, and the bytes under way."""

    def __init__(self, network: Network, ends: tuple[Any, Any], delay: int, priority: int) -> None:
        self.network = network
        self.ends = ends
        self.delay = delay
        self.deaf = False
        """Bytes vanish, as on a cable that is cut without a word."""
        self.swallowed: set[int] = set()
        """Types of frames that vanish."""
        self.heard: dict[int, int] = {}
        """How many frames of each type were carried."""
        self.links: list[Link] = []
        for side in (0, 1):
            other = ends[1 - side]
            self.links.append(ends[side].add_link(other.key, priority, PySink(self._carry(1 - side))))

    def _carry(self, to: int) -> Callable[[Link], None]:
        def flush(link: Link) -> None:
            while link.has_data():
                data = self._passing(link.take(WHOLE))
                if not self.deaf:
                    self.network.after(self.delay, lambda data=data: self._arrive(to, data))

        return flush

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

    def _arrive(self, to: int, data: bytes) -> None:
        link = self.links[to]
        if not link.closed:
            node = self.ends[to]
            node.turn(self.network.now, self.network.wall)
            link.receive(data)
            self.network.settle(node)

    def cut(self, error: str = "EOF") -> None:
        """Close both ends now."""
        for link, node in zip(self.links, self.ends, strict=True):
            link.close(error)
            self.network.settle(node)


class Network:
    """Nodes made by `make(secret, random=...)` (Router or its kin), joined by pipes, run under virtual time."""

    def __init__(self, seed: object = 0, make: Callable[..., Any] = Router) -> None:
        self.seed = seed
        self.make = make
        self.now = SECOND
        self.nodes: list[Any] = []
        self.pipes: list[Pipe] = []
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._lives = count()       # a node that comes back does not repeat its past
        self._due: dict[Any, int] = {}

    @property
    def wall(self) -> int:
        """Unix seconds."""
        return WALL + self.now // SECOND

    def add(self, number: int) -> Any:
        """Add the node whose key has the seed `number`."""
        node = self.make(secret_key(number), random=SeededRandom((self.seed, number, next(self._lives))))
        self.nodes.append(node)
        self.settle(node)
        return node

    def remove(self, node: Any) -> None:
        """Stop a node: its pipes close."""
        for pipe in [pipe for pipe in self.pipes if node in pipe.ends]:
            self.cut(pipe)
        node.close()
        self.nodes.remove(node)
        self._due.pop(node)

    def join(self, a: Any, b: Any, delay: int = MILLISECOND, priority: int = 0) -> Pipe:
        """Connect two nodes with `delay` ns each way."""
        pipe = Pipe(self, (a, b), delay, priority)
        self.pipes.append(pipe)
        self.settle(a)
        self.settle(b)
        return pipe

    def cut(self, pipe: Pipe) -> None:
        """Close a pipe at both ends."""
        self.pipes.remove(pipe)
        pipe.cut()

    def after(self, delay: int, call: Callable[[], None]) -> None:
        """Call something `delay` ns from now."""
        heapq.heappush(self._events, (self.now + delay, next(self._numbers), call))

    def settle(self, node: Any) -> None:
        """Run a node's turn, and note when it wants the next."""
        deadline = node.turn(self.now, self.wall)
        if node in self._due or node in self.nodes:
            self._plan(node, deadline)
        for pipe in list(self.pipes):
            if node in pipe.ends and pipe.links[pipe.ends.index(node)].closed:
                self.pipes.remove(pipe)
                if not pipe.deaf:
                    self.after(pipe.delay, lambda pipe=pipe: pipe.cut())

    def _plan(self, node: Any, deadline: int | None) -> None:
        if deadline is None:
            self._due.pop(node, None)
            return
        deadline = max(deadline, self.now)
        if self._due.get(node) != deadline:
            self._due[node] = deadline
            heapq.heappush(self._events, (deadline, next(self._numbers), lambda: self._wake(node, deadline)))

    def _wake(self, node: Any, deadline: int) -> None:
        if self._due.get(node) == deadline:
            del self._due[node]
            self.settle(node)

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + int(seconds * SECOND)
        while self._events and self._events[0][0] <= end:
            self.now, _, call = heapq.heappop(self._events)
            call()
        self.now = end

    def run_until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Let virtual time pass until a condition holds, at most so long; tell whether it does."""
        end = self.now + int(seconds * SECOND)
        while not condition():
            if not self._events or self._events[0][0] > end:
                self.now = end
                return condition()
            self.now, _, call = heapq.heappop(self._events)
            call()
        return True

    def send(self, source: Any, dest: Any, payload: bytes) -> None:
        """Send a message from one node to another's key."""
        source.turn(self.now, self.wall)
        source.send(dest.key, payload)
        self.settle(source)

    def close(self) -> None:
        """Stop every node."""
        for node in list(self.nodes):
            self.remove(node)
        self._events.clear()
