"""The figures of a connection tell what it is doing, while it does it."""

import pytest

from tests.c.stackkit import ACK, MS, SECOND, B, Peer, StackPair
from ygg.simulation import Conditions

SACK_PERMITTED = bytes([1, 1, 4, 2])


@pytest.fixture
def switch():
    made = StackPair(1280, Conditions(delay=0.025))
    yield made
    made.close()


@pytest.fixture
def peer():
    made = Peer(1280, SACK_PERMITTED)
    yield made
    made.close()


def test_a_fresh_connection_has_only_its_handshake_to_tell(switch):
    client, server = switch.pair()
    info = client.info()
    assert info["state"] == "ESTABLISHED"
    assert info["rtt"] == info["rtt_min"] == 50 * MS
    assert info["waits_for"] == "application"
    assert (info["last_sent"], info["last_received"], info["timer"]) == (None, None, None)
    assert (info["sack"], info["timestamps"]) == (True, True)
    assert info["send_scale"] == server.info()["receive_scale"] > 0
    assert (info["bytes_sent"], info["bytes_out"], info["unsent"], info["delivery_rate"]) == (0, 0, 0, 0)


def test_totals_of_both_ends_agree_and_idle_ages_grow(switch):
    client, server = switch.pair()
    client.write(bytes(300_000))
    switch.run(1, lambda: server.readable == 300_000)
    assert client.info()["delivery_rate"] > 0
    switch.run(1)
    info, there = client.info(switch.now), server.info(switch.now)
    assert info["bytes_sent"] == info["bytes_acknowledged"] == info["bytes_out"] == there["bytes_in"] == 300_000
    assert info["segments_out"] == there["segments_in"] + 1     # the SYN came before the connection
    assert there["readable"] == 300_000
    assert there["receive_mss"] == info["mss"]
    assert info["last_received"] is None
    before = info["last_sent"]
    switch.run(3)
    assert client.info(switch.now)["last_sent"] == before + 3 * SECOND
    assert server.info(switch.now)["last_received"] == pytest.approx(there["last_received"] + 3 * SECOND, abs=MS)
    assert client.info(switch.now)["last_heard"] >= 3 * SECOND


def test_data_twice_on_the_way_counts_once(peer):
    connection = peer.accept()
    connection.write(b"lost")
    peer.take()
    peer.wait(2 * connection.info()["rto"])
    info = connection.info()
    assert (info["bytes_sent"], info["bytes_acknowledged"]) == (4, 0)
    assert info["bytes_out"] == 4 * (1 + info["retransmits"]) > 4
    assert (info["phase"], info["unanswered"], info["backoff"]) == ("loss", info["timeouts"], info["timeouts"])
    assert info["timer"] == "retransmission"
    assert 0 < info["timer_in"] <= info["rto"]


@pytest.mark.parametrize(("window", "cause"), [(65535, "congestion window"), (2000, "receive window")])
def test_what_sending_waits_for(peer, window, cause):
    peer.base.window = window
    connection = peer.accept()
    connection.write(bytes(100_000))
    sent = sum(len(segment.data) for segment in peer.take())
    info = connection.info()
    assert info["waits_for"] == cause
    assert info["in_flight"] == info["outstanding"] == sent
    assert info["unsent"] == 100_000 - sent
    assert info["send_queued"] == 100_000 <= info["send_memory"]


def test_nagle_cork_and_a_closed_window_are_named(peer):
    connection = peer.accept()
    connection.write(b"one")
    peer.take()
    connection.write(b"two")
    peer.take()
    assert connection.info()["waits_for"] == "nagle"
    connection.corked = True
    peer.take()
    assert connection.info()["waits_for"] == "cork"
    connection.corked = False
    peer.ack += 3
    peer.send(window=0)
    assert connection.info()["waits_for"] == "receive window"
    assert connection.info()["timer"] == "persist"


def test_the_handshake_is_waited_for(peer):
    connection = peer.stack.connect(B, 80)
    connection.write(b"early")
    assert connection.info()["waits_for"] == "handshake"
    connection.abort()


def test_loss_and_reordering_are_seen(peer):
    connection = peer.accept()
    connection.write(bytes(12_000))
    _, second, *_ = peer.take()
    edge = second.seq + len(second.data)
    block = bytes([1, 1, 5, 10]) + second.seq.to_bytes(4, "big") + edge.to_bytes(4, "big")
    peer.send(options=block)
    info = connection.info()
    assert (info["sacked"], info["lost"]) == (len(second.data), 0)
    assert info["timer"] in ("reordering", "tail loss probe")
    peer.ack = edge
    peer.send(flags=ACK)
    assert connection.info()["reordering"]


def test_out_of_order_data_and_what_is_unread_count(peer):
    connection = peer.accept()
    peer.data(b"in order")
    peer.send(seq=peer.seq + 1000, data=bytes(500))
    info = connection.info()
    assert (info["readable"], info["out_of_order"], info["bytes_in"]) == (8, 500, 8)
    assert info["receive_memory"] > 508


def test_the_timer_that_comes_next_is_named(peer):
    connection = peer.accept()
    peer.data(b"to be acknowledged")
    assert connection.info()["timer"] == "delayed ACK"
    connection.recv()
    peer.wait(SECOND)
    connection.keepalive = (10 * SECOND, SECOND, 3)
    info = connection.info()
    assert (info["timer"], info["keepalive_probes"]) == ("keepalive", 0)
    peer.wait(9 * SECOND)
    assert connection.info()["keepalive_probes"] == 1
