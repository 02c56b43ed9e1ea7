"""ygg_c.tcp.sender: the limits that an application sets."""

import pytest

from tests.c.stackkit import StackPair
from tests.c.tcp.scripted import scripts
from ygg.simulation import Conditions

test_scripts = scripts("23-congestion-window")


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
@pytest.mark.parametrize("limit", ["send_limit", "receive_limit"])
def test_a_limit_that_was_set_does_not_tune_itself(limit, fixed):
    switch = StackPair(65535, Conditions(delay=0.1))
    client, server = switch.pair()
    end = client if limit == "send_limit" else server
    first = getattr(end, limit)
    if fixed:
        setattr(end, limit, first)
    client.write(bytes(30 << 20))
    while server.info()["bytes_in"] < 30 << 20:
        switch.run(0.01)
        while server.recv():
            pass
    assert (getattr(end, limit) == first) == fixed
    switch.close()
