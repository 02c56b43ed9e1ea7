"""What tests of the engine share."""

from collections.abc import Iterator

import pytest

from .farside import Clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Give a router and its time; of the seeds 1 to 9 only 7 and 8 have smaller keys."""
    clock = Clock(2)
    yield clock
    clock.close()
