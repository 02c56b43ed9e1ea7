"""What many tests of TCP begin with."""

import pytest

from tests.c.stackkit import Peer, World


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()
