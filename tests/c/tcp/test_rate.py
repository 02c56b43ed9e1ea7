"""ygg_c.tcp.rate: samples of the delivery rate."""

import pytest

from tests.c.stackkit import MS, SECOND
from ygg_c.tcp.rate import RateSampler

SIZE = 1000
RTT = 50 * MS


def test_a_steady_flow_is_measured_exactly() -> None:
    """A segment each ms, acknowledged a round trip later: 1 MB/s."""
    rates = RateSampler()
    for sent in range(500):
        now = SECOND + sent * MS
        acked = sent - RTT // MS
        assert rates.sent(now, min(sent, RTT // MS) * SIZE) == sent
        if acked >= 0:
            sample, limited = rates.delivered(acked, SIZE, now, RTT)
            assert not limited
            assert sample == 1_000_000 or acked < 100


def test_the_first_flight_is_measured_over_its_round_trip() -> None:
    rates = RateSampler()
    for number in range(10):
        assert rates.sent(SECOND, number * SIZE) == number
    assert rates.delivered(9, 10 * SIZE, SECOND + RTT, RTT) == (10 * SIZE * 20, False)


def test_acks_that_come_all_at_once_do_not_make_it_faster_than_it_was_sent() -> None:
    rates = RateSampler()
    numbers = [rates.sent(SECOND + index * MS, index * SIZE) for index in range(100)]
    last = 0
    for number in numbers:
        last = rates.delivered(number, SIZE, SECOND + 150 * MS, RTT)[0] or 0
    assert last <= 100 * SIZE * SECOND // (100 * MS)


def test_a_burst_is_no_faster_than_it_was_acknowledged() -> None:
    rates = RateSampler()
    for number in range(20):
        rates.sent(SECOND, number * SIZE)
    for number in range(20):
        sample, _ = rates.delivered(number, SIZE, SECOND + RTT + number * MS, RTT)
        assert sample == (number + 1) * SIZE * SECOND // (RTT + number * MS)


def test_a_sample_shorter_than_the_least_round_trip_is_none() -> None:
    """As when an ACK of the original comes just after the retransmission."""
    rates = RateSampler()
    number = rates.sent(SECOND, 0)
    assert rates.delivered(number, SIZE, SECOND + MS, RTT) == (None, False)


def test_a_pause_does_not_count() -> None:
    rates = RateSampler()
    rates.delivered(rates.sent(SECOND, 0), SIZE, SECOND + RTT, RTT)
    later = 60 * SECOND
    for number in range(10):
        rates.sent(later, number * SIZE)
    assert rates.delivered(10, 10 * SIZE, later + RTT, RTT)[0] == 10 * SIZE * 20


def test_samples_of_what_the_application_limited_say_so_until_that_is_delivered() -> None:
    rates = RateSampler()
    first = rates.sent(SECOND, 0)
    rates.limit(SIZE)
    second = rates.sent(SECOND + MS, SIZE)
    assert not rates.delivered(first, SIZE, SECOND + RTT)[1]
    third = rates.sent(SECOND + RTT, SIZE)
    assert rates.delivered(second, SIZE, SECOND + RTT + MS)[1]
    assert rates.delivered(third, SIZE, SECOND + 2 * RTT)[1]
    fourth = rates.sent(SECOND + 2 * RTT, 0)
    assert not rates.delivered(fourth, SIZE, SECOND + 3 * RTT)[1]


@pytest.mark.parametrize("size", [0, SIZE])
def test_an_ack_that_delivers_nothing_is_no_sample(size: int) -> None:
    rates = RateSampler()
    number = rates.sent(SECOND, 0)
    assert rates.delivered(number, size, SECOND + RTT)[0] == (size * 20 or None)
