"""What many tests of TCP begin with."""

import pytest

from tests.c.stackkit import Peer, StackPair


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def switch():
    switch = StackPair()
    yield switch
    switch.close()
