"""ygg_c.tcp.pacing: when a burst may leave."""

import pytest

from tests.c.stackkit import MS, SECOND
from ygg_c.tcp.pacing import Pacer

RATE = 1_000_000        # 1000 bytes a ms
SIZE = 1000


def at_once(pacer: Pacer, now: int, burst: int = 10 * SIZE, most: int = 1000) -> int:
    """Send all that may leave at `now`; return how many segments."""
    for count in range(most):
        if pacer.due(now) > now:
            return count
        pacer.sent(SIZE, RATE, burst, now)
    return most


def test_after_a_pause_a_burst_leaves_and_then_what_the_rate_allows() -> None:
    pacer = Pacer()
    assert at_once(pacer, SECOND) == 11
    now, sent = SECOND, 0
    while now < 2 * SECOND:
        now = pacer.due(now)
        sent += at_once(pacer, now)
    assert sent == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("wait", [0, 1, MS - 1])
def test_who_waits_is_woken_a_millisecond_later_at_the_earliest(wait: int) -> None:
    pacer = Pacer()
    at_once(pacer, SECOND)
    assert pacer.due(SECOND + wait) == SECOND + wait + MS


def test_a_longer_debt_is_waited_for() -> None:
    pacer = Pacer()
    pacer.sent(50 * SIZE, RATE, 0, SECOND)
    assert pacer.due(SECOND) == pacer.due(SECOND + 49 * MS) == SECOND + 50 * MS
    assert pacer.due(SECOND + 50 * MS) == SECOND + 50 * MS


def test_what_comes_one_by_one_at_the_rate_never_waits() -> None:
    pacer = Pacer()
    for now in range(SECOND, 2 * SECOND, 2 * MS):
        assert at_once(pacer, now, most=2) == 2


def test_a_pause_is_worth_no_more_than_a_burst() -> None:
    pacer = Pacer()
    at_once(pacer, SECOND)
    assert at_once(pacer, 1000 * SECOND) == 11
    assert at_once(pacer, 1000 * SECOND + 5 * MS) == 5
