"""Settings of a connection, by what they do to segments."""

import pytest

from tests.c.stackkit import MS, SECOND, Link, Peer, World


@pytest.fixture
def peer():
    made = Peer(1280)
    yield made
    made.close()


def test_quick_ack_delays_none(peer):
    connection = peer.accept()
    assert peer.data(b"delayed") == []
    assert peer.wait(SECOND)
    connection.quick_ack = True
    (answer,) = peer.data(b"at once")
    assert answer.ack == peer.seq
    connection.quick_ack = False
    assert peer.data(b"delayed") == []


def test_quick_ack_sends_what_is_being_delayed(peer):
    connection = peer.accept()
    assert peer.data(b"delayed") == []
    connection.quick_ack = True
    (answer,) = peer.take()
    assert answer.ack == peer.seq


@pytest.mark.parametrize("limit", [64, 500, 1000])
def test_segments_are_no_larger_than_the_limit(peer, limit):
    connection = peer.accept()
    connection.mss_limit = limit
    connection.write(bytes(3000))
    assert {len(segment.data) for segment in peer.take()} <= {limit, 3000 % limit}
    assert connection.info()["mss"] == limit


def test_a_limit_above_what_the_path_takes_changes_nothing_and_none_lifts_it(peer):
    connection = peer.accept()
    before = connection.info()["mss"]
    connection.mss_limit = 9000
    assert connection.info()["mss"] == before
    connection.mss_limit = 100
    assert connection.mss_limit == connection.info()["mss"] == 100
    connection.mss_limit = None
    assert (connection.mss_limit, connection.info()["mss"]) == (None, before)


@pytest.mark.parametrize("limit", [0, 63, 65536, -1])
def test_limits_that_are_none_are_refused(peer, limit):
    connection = peer.accept()
    with pytest.raises(ValueError, match="64 to 65535"):
        connection.mss_limit = limit
    assert connection.mss_limit is None


@pytest.mark.parametrize("fixed", [False, True])
def test_a_receive_limit_that_was_set_does_not_tune_itself(fixed):
    world = World(65535, Link(100 * MS))
    client, server = world.pair()
    first = server.receive_limit
    if fixed:
        server.receive_limit = first
    client.write(bytes(30 << 20))
    while server.info()["bytes_in"] < 30 << 20:
        world.run(10 * MS)
        while server.recv():
            pass
    assert (server.receive_limit == first) == fixed
    world.close()


def test_a_small_receive_limit_is_the_window(peer):
    connection = peer.accept()
    connection.receive_limit = 8192
    sent = b""
    while len(sent) < 200_000 and (room := connection.info()["receive_window"]):
        piece = bytes(min(room, 1000))
        peer.data(piece)
        sent += piece
    # What had been offered before is still taken, and no more while nothing is read.
    assert connection.readable == len(sent) <= 65535
    while connection.recv():
        pass
    peer.wait(SECOND)
    assert 0 < connection.info()["receive_window"] <= 8192
