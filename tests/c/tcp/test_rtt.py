"""ygg_c.tcp.rtt: the round-trip time's estimator, and connections whose round trip changes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.c.stackkit import MS, SECOND, StackPair
from ygg.simulation import Conditions
from ygg_c.testing.estimators import RttEstimator


def steady(estimator: RttEstimator, rtt: int, count: int, now: int = 0) -> int:
    """Give the same sample `count` times, a round trip apart; return the time afterwards."""
    for _ in range(count):
        now += rtt
        estimator.sample(rtt, now)
    return now


def test_the_first_timeout_is_a_second() -> None:
    estimator = RttEstimator()
    assert estimator.timeout() == SECOND
    assert estimator.smoothed == 0


def test_the_first_sample_sets_the_variance_to_its_half() -> None:
    estimator = RttEstimator()
    estimator.sample(500 * MS, 0)
    assert (estimator.smoothed, estimator.variance) == (500 * MS, 250 * MS)
    assert estimator.timeout() == 1500 * MS


@pytest.mark.parametrize("rtt", [1 * MS, 50 * MS, 250 * MS, 3 * SECOND])
def test_the_timeout_of_a_steady_path_stays_above_its_round_trip(rtt: int) -> None:
    """The floor is on the variance term: a peer that delays its ACK is not taken for a loss."""
    estimator = RttEstimator()
    steady(estimator, rtt, 200)
    assert estimator.smoothed == pytest.approx(rtt, rel=0.01)
    assert estimator.timeout() == pytest.approx(rtt + 200 * MS, rel=0.01)


def test_without_a_floor_the_clock_keeps_the_timeout_above_the_round_trip() -> None:
    estimator = RttEstimator()
    now = 0
    for _ in range(500):
        now += 50 * MS
        estimator.sample(50 * MS, now, floor=0)
    assert estimator.timeout() >= estimator.smoothed + MS


def test_the_ceiling_bounds_the_timeout_and_its_backoff() -> None:
    estimator = RttEstimator()
    estimator.sample(100 * SECOND, 0)
    assert estimator.timeout() == 60 * SECOND
    estimator.sample(SECOND, 0)
    for _ in range(100):
        estimator.back_off()
    assert estimator.timeout(30 * SECOND) == 30 * SECOND


def test_backoff_doubles_and_ends_with_the_next_sample() -> None:
    estimator = RttEstimator()
    now = steady(estimator, 100 * MS, 100)
    rto = estimator.timeout()
    for doublings in range(1, 5):
        estimator.back_off()
        assert estimator.timeout() == rto << doublings
    estimator.sample(100 * MS, now)
    assert estimator.timeout() == pytest.approx(rto, rel=0.01)


def test_after_a_lost_syn_the_timeout_is_three_seconds() -> None:
    """RFC 6298, 5.7. A sample of the handshake does not shorten it, the first one of data does."""
    estimator = RttEstimator()
    estimator.back_off()
    estimator.lost_syn()
    assert estimator.timeout() == 3 * SECOND
    estimator = RttEstimator()
    estimator.sample(20 * MS, 0)
    estimator.lost_syn()
    assert estimator.timeout() == 3 * SECOND
    estimator.sample(20 * MS, 0)
    assert estimator.timeout() < 300 * MS


def test_one_late_sample_of_a_round_trip_counts_though_many_are_alike() -> None:
    """With a sample for every ACK the mean deviation forgets within a fraction of a round trip; its peak does not."""
    estimator = RttEstimator()
    now = 0
    for index in range(4000):
        now += MS
        estimator.sample(400 * MS if index % 400 == 399 else 100 * MS, now)
    assert estimator.timeout() > 400 * MS


def test_a_round_trip_that_falls_lowers_the_timeout_within_some_round_trips() -> None:
    estimator = RttEstimator()
    now = steady(estimator, 2 * SECOND, 20)
    before = estimator.timeout()
    for _ in range(10):
        now += 20 * MS
        estimator.sample(20 * MS, now)
        assert estimator.timeout() <= before + SECOND
    steady(estimator, 20 * MS, 60, now)
    assert estimator.timeout() < 400 * MS


def test_the_least_round_trip_is_one_of_the_last_half_minute() -> None:
    estimator = RttEstimator()
    now = steady(estimator, 20 * MS, 10)
    assert estimator.least == 20 * MS
    now = steady(estimator, 100 * MS, 140, now)
    assert estimator.least == 20 * MS
    steady(estimator, 100 * MS, 170, now)
    assert estimator.least == 100 * MS


def test_a_pause_forgets_the_least_round_trip() -> None:
    estimator = RttEstimator()
    now = steady(estimator, 20 * MS, 10)
    estimator.sample(80 * MS, now + 40 * SECOND)
    assert estimator.least == 80 * MS


@given(st.lists(st.tuples(st.integers(0, 10 * SECOND), st.integers(0, 60 * SECOND)), min_size=1, max_size=60))
def test_estimates_stay_within_what_was_measured(samples: list[tuple[int, int]]) -> None:
    estimator = RttEstimator()
    now = 0
    values = []
    for value, pause in samples:
        now += pause
        values.append(max(value, 1000))
        estimator.sample(value, now)
        assert min(values) - 8 <= estimator.smoothed <= max(values) + 8
        assert min(values) <= estimator.least <= values[-1]
        assert estimator.variance <= max(values)
        assert min(estimator.smoothed + 200 * MS, 60 * SECOND) <= estimator.timeout() <= 60 * SECOND


def test_jitter_does_not_make_the_timeout_fire() -> None:
    """Round trips spread evenly over a factor of two stay below the timeout."""
    estimator = RttEstimator()
    randomly = random.Random(1)
    now = 0
    for index in range(5000):
        sample = randomly.randrange(500 * MS, 1000 * MS)
        if index > 20:
            assert sample < estimator.timeout()
        now += 5 * MS
        estimator.sample(sample, now)


def transfer(switch: StackPair, client, server, size: int) -> float:
    """Send `size` bytes and return the seconds until all were read."""
    client.write(bytes(size))
    began = switch.now
    got = 0
    while got < size and switch.now < began + 600 * SECOND:
        switch.run(0.05)
        while server.readable:
            got += len(server.recv(1 << 20))
    assert got == size
    return (switch.now - began) / SECOND


@pytest.mark.parametrize("seconds", [0.5, 1.2, 3, 5])
def test_a_round_trip_beyond_the_first_timeout_is_measured(seconds: float) -> None:
    switch = StackPair(1500, Conditions(delay=seconds / 2))
    client, server = switch.pair()
    transfer(switch, client, server, 1_000_000)
    info = client.info()
    assert info["rtt"] == pytest.approx(seconds * SECOND, rel=0.05)
    assert info["rto"] > info["rtt"]
    assert info["retransmits"] == 0
    switch.close()


@pytest.mark.parametrize("slow", [300 * MS, 1 * SECOND, 2 * SECOND])
def test_a_round_trip_that_exceeds_the_timeout_is_measured(slow: int) -> None:
    """Each timeout is one too many, and the first answer of an original ends them; so it does on the way back."""
    switch = StackPair(1500, Conditions(delay=0.01))
    client, server = switch.pair()
    transfer(switch, client, server, 200_000)
    switch.change(Conditions(delay=slow / 2 / SECOND))
    transfer(switch, client, server, 1_000_000)
    transfer(switch, client, server, 1_000_000)
    info = client.info()
    assert info["rtt"] == pytest.approx(slow, rel=0.1)
    assert info["timeouts"] <= 5
    assert info["retransmits"] <= 7
    switch.change(Conditions(delay=0.01))
    for _ in range(30):
        assert transfer(switch, client, server, 1_000_000) < 5
    info = client.info()
    assert info["rtt"] < 100 * MS
    assert info["timeouts"] <= 5
    switch.close()


@pytest.mark.parametrize("slow", [1 * SECOND, 2 * SECOND])
@pytest.mark.parametrize("mtu", [1280, 65535])
def test_a_round_trip_that_changes_a_hundredfold_costs_no_storm_in_either_direction(slow: int, mtu: int) -> None:
    """Both ends send all the while: 20 ms, then seconds, then 20 ms again."""
    switch = StackPair(mtu, Conditions(delay=0.01))
    ends = switch.pair()
    for delay, lasts in ((10 * MS, 1), (slow // 2, 60), (10 * MS, 5)):
        switch.change(Conditions(delay=delay / SECOND))
        limit = switch.now + lasts * SECOND
        while switch.now < limit:
            for end in ends:
                while end.recv(1 << 20):
                    pass
                end.write(bytes(32_000 - min(end.queued, 32_000)))
            switch.run(0.02)
        for end in ends:
            assert end.info()["rtt"] == pytest.approx(2 * delay, rel=0.25, abs=50 * MS)      # ACKs are delayed
    for end in ends:
        info = end.info()
        assert info["timeouts"] <= 5
        assert info["retransmits"] <= 10
        end.abort()
    switch.close()
