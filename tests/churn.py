"""Seeded churn in a network of eight: what is done to it and in which order, whatever it is made of.

Nodes are numbers in the order of their keys, so that 0 is the root while it is there.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

NODES = 8
Edge = tuple[int, int]


def edges_of(shape: str, seed: int) -> list[Edge]:
    """Return the edges of a "line", a "ring" or a connected "random" network."""
    chance = random.Random(f"{shape} {seed}")
    order = list(range(NODES))
    chance.shuffle(order)
    edges = list(itertools.pairwise(order))
    if shape == "ring":
        edges.append((order[-1], order[0]))
    elif shape == "random":
        edges = [(chance.choice(order[:place]), order[place]) for place in range(1, NODES)]
        edges += chance.sample([pair for pair in itertools.combinations(order, 2) if pair not in edges], 4)
    return sorted({(min(edge), max(edge)) for edge in edges})


@dataclass(frozen=True)
class Event:
    """What happens at once: nodes that leave, come, or are restarted without memory, edges that are cut or joined."""

    name: str
    leave: frozenset[int] = frozenset()
    come: frozenset[int] = frozenset()
    restart: frozenset[int] = frozenset()
    cut: frozenset[Edge] = frozenset()
    join: frozenset[Edge] = frozenset()


@dataclass
class Plan:
    """The events of one seed, each followed by what undoes it, and who is connected after each."""

    shape: str
    seed: int
    edges: list[Edge] = field(init=False)
    present: set[int] = field(init=False)
    joined: set[Edge] = field(init=False)

    def __post_init__(self) -> None:
        self.edges = edges_of(self.shape, self.seed)
        self.present = set(range(NODES))
        self.joined = set(self.edges)

    def events(self, count: int) -> Iterator[Event]:
        """Yield `count` disturbances and their ends; what is connected is up to date when each is yielded."""
        chance = random.Random(f"events {self.shape} {self.seed}")
        for _ in range(count):
            for event in self._disturbance(chance):
                self.present = self.present - event.leave | event.come
                self.joined = self.joined - event.cut | event.join
                yield event

    def _disturbance(self, chance: random.Random) -> list[Event]:
        kind = chance.choice(["restart", "cut", "partition", "root", "crash"])
        if kind == "restart":
            return [Event("restart", restart=frozenset(chance.sample(range(NODES), chance.choice([1, 2]))))]
        if kind in ("root", "crash"):
            gone = frozenset({0 if kind == "root" else chance.randrange(NODES)})
            return [Event(f"{kind} leaves", leave=gone), Event(f"{kind} comes back", come=gone)]
        half = set(chance.sample(range(NODES), NODES // 2))
        apart = [edge for edge in self.edges if (edge[0] in half) != (edge[1] in half)]
        edges = frozenset([chance.choice(self.edges)] if kind == "cut" else apart)
        return [Event(kind, cut=edges), Event(f"end of {kind}", join=edges)]

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of nodes, both ways, that some way connects now."""
        island = {node: node for node in self.present}
        for _ in range(NODES):
            for a, b in self.joined:
                if a in island and b in island:
                    island[a] = island[b] = min(island[a], island[b])
        return [(a, b) for a, b in itertools.permutations(sorted(self.present), 2) if island[a] == island[b]]
