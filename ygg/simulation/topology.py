"""Shapes of networks: which nodes of 0 to n - 1 are neighbours. The names are those of networkx's generators.

Each function returns the edges, each once as (smaller, larger), sorted. Those with chance in them take a seed, and
return the same edges for the same one.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

Edge = tuple[int, int]
"""Two neighbours, the smaller first."""


def edges_of(pairs: Iterable[tuple[int, int]]) -> list[Edge]:
    """Return pairs as edges: each once, sorted, without those of a node with itself."""
    return sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})


def path_graph(n: int) -> list[Edge]:
    """Return a line."""
    return edges_of(itertools.pairwise(range(n)))


def cycle_graph(n: int) -> list[Edge]:
    """Return a ring."""
    return edges_of((node, (node + 1) % n) for node in range(n))


def star_graph(n: int) -> list[Edge]:
    """Return `n` nodes around node 0: n + 1 in all, as networkx counts."""
    return edges_of((0, node) for node in range(1, n + 1))


def complete_graph(n: int) -> list[Edge]:
    """Return all pairs."""
    return edges_of(itertools.combinations(range(n), 2))


def balanced_tree(r: int, h: int) -> list[Edge]:
    """Return a tree in which each node has `r` children, down to `h` levels below node 0."""
    inner = sum(r**level for level in range(h))
    return edges_of((node, node * r + child) for node in range(inner) for child in range(1, r + 1))


def grid_2d_graph(m: int, n: int) -> list[Edge]:
    """Return `m` rows of `n` nodes, counted row by row."""
    rows = ((row * n + column, row * n + column + 1) for row in range(m) for column in range(n - 1))
    columns = ((row * n + column, (row + 1) * n + column) for row in range(m - 1) for column in range(n))
    return edges_of(itertools.chain(rows, columns))


def random_tree(n: int, seed: object) -> list[Edge]:
    """Return a tree in which each node but the first has a neighbour among those before it, picked by chance."""
    chance = random.Random(repr(seed))
    return edges_of((chance.randrange(node), node) for node in range(1, n))


def connected_random_graph(n: int, m: int, seed: object) -> list[Edge]:
    """Return a random tree, and `m` edges more. ValueError where there are not as many."""
    found = set(random_tree(n, seed))
    if m > n * (n - 1) // 2 - len(found):
        raise ValueError(f"{n} nodes have no {m} edges beside a tree's")
    chance = random.Random(repr(("edges", seed)))
    most = len(found) + m
    while len(found) < most:
        a, b = chance.sample(range(n), 2)
        found.add((min(a, b), max(a, b)))
    return sorted(found)


def barabasi_albert_graph(n: int, m: int, seed: object) -> list[Edge]:
    """Return a scale-free network: each node comes with `m` edges to others, which have more chance the more they have.

    It begins with a star of m + 1 nodes (Barabási and Albert, 1999). ValueError unless 1 ≤ m < n.
    """
    if not 1 <= m < n:
        raise ValueError("m must be at least 1 and less than n")
    chance = random.Random(repr(seed))
    found = star_graph(m)
    ends = [end for edge in found for end in edge]      # each node as often as it has edges
    for node in range(m + 1, n):
        targets: dict[int, None] = {}
        while len(targets) < m:
            targets[chance.choice(ends)] = None
        found += [(target, node) for target in targets]
        ends += [end for target in targets for end in (target, node)]
    return edges_of(found)
