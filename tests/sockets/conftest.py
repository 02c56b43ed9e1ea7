"""Tests here run with two VTuns in the event loop of another thread."""

from collections.abc import Iterator

import pytest

from tests.sockets.threaded import Threaded, threaded


@pytest.fixture
def pair() -> Iterator[Threaded]:
    with threaded() as made:
        yield made
    vars(made).clear()      # pytest keeps it until after it has been looked what a test leaves behind
