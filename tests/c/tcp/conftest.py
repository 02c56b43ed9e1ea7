"""What many tests of TCP begin with."""

import pytest

from tests.c.stackkit import MSS, Peer


@pytest.fixture
def sack_peer():
    """Give a stack and a peer that has SACK and says its MSS."""
    peer = Peer(options=bytes([1, 1, 4, 2, 2, 4]) + MSS.to_bytes(2, "big"))
    yield peer
    peer.close()
