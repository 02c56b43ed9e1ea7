"""Worlds of nodes, as tests of the engine begin with them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from ygg.simulation import World

SECOND = 1_000_000_000
START = 1_700_000_000
"""Unix time in seconds when a world's clock is at 0."""


@contextmanager
def line_of(*numbers: int) -> Iterator[World]:
    """A line of nodes that have found their tree, on links that take no time."""
    with World() as world:
        for number in numbers:
            world.add(number)
        for first, second in itertools.pairwise(numbers):
            world.join(first, second)
        world.run(8)
        yield world
