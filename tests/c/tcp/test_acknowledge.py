"""ygg_c.tcp.acknowledge: what the sender does with an ACK."""

import pytest

from tests.c.stackkit import MS, SYN, Peer, stamp
from tests.c.tcp.scripted import scripts

test_scripts = scripts("15-timestamps", "26-round-trips")


@pytest.mark.parametrize("late", [0, 1, 999_999, 1_000_000, 5_000_000])
def test_the_shortest_round_trip_is_never_shorter_than_it_was(late):
    """A retransmission's sample comes from timestamps of whole milliseconds: it must not claim less than passed."""
    peer = Peer(options=stamp(1, 0))
    listener = peer.stack.listen(None, 80)
    syn = peer.one(flags=SYN, ack=0, options=stamp(1, 0))
    peer.seq, peer.ack = peer.seq + 1, syn.seq + 1
    peer.now += 50 * MS
    peer.send(options=stamp(2, int.from_bytes(syn.option(8)[:4], "big")))
    connection = listener.accept()
    connection.send(b"data")
    (first,) = peer.take()
    peer.now = peer.deadline
    (again,) = peer.take()
    peer.now += late
    peer.send(ack=first.seq + 4, options=stamp(3, int.from_bytes(again.option(8)[:4], "big")))
    assert connection.info()["in_flight"] == 0
    assert max(late, 1000) <= connection.info()["rtt_min"] <= late + 2_000_000
    peer.close()
