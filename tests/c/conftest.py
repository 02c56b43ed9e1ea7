"""What tests of the engine share."""

from collections.abc import Iterator
from typing import Any

import pytest

from .farside import Clock
from .stackkit import A, Peer, StackPair, make_stack
from .stage import Stage


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Give a router and its time; of the seeds 1 to 9 only 7 and 8 have smaller keys."""
    clock = Clock(2)
    yield clock
    clock.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Give a stack and the remote nodes that a test makes up."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Give a stack and a TCP peer that is driven by hand."""
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def switch() -> Iterator[StackPair]:
    """Give two stacks that a switch joins."""
    switch = StackPair()
    yield switch
    switch.close()


@pytest.fixture
def stack_tap() -> Iterator[list[Any]]:
    """Give a stack and what is below it."""
    pair: list[Any] = [*make_stack(A)]
    yield pair
    pair[0].close()
    pair[1].detach()
    pair.clear()
