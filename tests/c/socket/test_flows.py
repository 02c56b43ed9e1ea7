"""Flows of one node that wait for one link: who is next."""

from collections import Counter

import pytest

from tests.c.stackkit import Peer
from tests.c.tcp.light import client
from ygg_c.tcp.connection import TcpConnection

SEGMENT = 1220
ROOM = SEGMENT + 60 + 40         # of credit for a segment, its headers and as many options as there may be


@pytest.fixture
def peer():
    made = Peer(1280)
    yield made
    made.close()


def next_out(peer: Peer) -> int:
    """Give the link room for one segment, have it acknowledged, and return the port that it went to."""
    peer.tap.give_credit(ROOM, peer.now)
    peer.tap.credit_bytes = 0
    (segment,) = peer.take()
    assert peer.send(sport=segment.dport, seq=1001, ack=segment.seq + len(segment.data)) == []
    return segment.dport


def beside_bulk(peer: Peer) -> TcpConnection:
    """Return a connection to port 5001, beside one to 5000 that has much to send over a full link."""
    listener = peer.stack.listen(None, 80)
    bulk = peer.accept(listener)
    client(peer, 5001)
    peer.send()
    other = listener.accept()
    peer.tap.burst = SEGMENT + 60
    peer.tap.give_credit(0, peer.now)
    bulk.write(bytes(300 * SEGMENT))
    peer.take()
    return other


def test_who_comes_back_at_once_is_not_new_again(peer):
    """A flow that always has one segment to send gets its part beside one that has many, no more (RFC 8290, 4.2)."""
    eager = beside_bulk(peer)
    sent: Counter[int] = Counter()
    for _ in range(40):
        if eager.queued == 0:
            eager.write(bytes(SEGMENT))
            peer.take()
        sent[next_out(peer)] += 1
    assert abs(sent[5000] - sent[5001]) <= 2


def test_a_flow_that_was_away_is_served_before_those_that_wait(peer):
    rare = beside_bulk(peer)
    for _ in range(5):
        assert [next_out(peer) for _ in range(4)] == [5000] * 4
        rare.write(bytes(SEGMENT))
        peer.take()
        assert next_out(peer) == 5001
