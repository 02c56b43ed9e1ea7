"""What tests of the engine share."""

from collections.abc import Iterator

import pytest

from .farside import Clock
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
