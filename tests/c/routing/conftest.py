"""What tests of the router share."""

from collections.abc import Iterator

import pytest

from tests.c.farside import Clock, FarSide


@pytest.fixture
def far(clock: Clock) -> Iterator[FarSide]:
    """Give a child whose filter leads everywhere."""
    far = FarSide(clock, 3)
    far.become_child()
    clock.pass_time(1)
    far.filter()
    far.frames.clear()
    yield far
    del far.clock, far.link


@pytest.fixture
def children(clock: Clock) -> Iterator[list[FarSide]]:
    """Give two children whose filters lead everywhere: a hostile and an honest one."""
    children = [FarSide(clock, 3), FarSide(clock, 4)]
    for child in children:
        child.become_child()
    clock.pass_time(1)
    for child in children:
        child.filter()
        child.frames.clear()
    yield children
    for child in children:
        del child.clock, child.link
