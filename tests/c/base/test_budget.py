"""Budgets that are shared by origin and by source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg_c.base.budget import Budget

SECOND = 1_000_000_000
MS = 1_000_000


def drive(budget: Budget, offers: dict[int, int], seconds: float, sources: int = 1) -> dict[int, int]:
    """Let each origin offer so many requests a millisecond, in turn; return how many of each were taken."""
    taken = dict.fromkeys(offers, 0)
    number = 0
    for step in range(int(seconds * 1000)):
        for origin, count in offers.items():
            for _ in range(count):
                number += 1
                source = (number % sources).to_bytes(32, "little")
                taken[origin] += budget.request(origin, source if sources > 1 else None, now=step * MS)
    return taken


def test_a_burst_passes_then_the_rate() -> None:
    """A lone origin has four fifths of the burst at once, and of the rate in the long run."""
    budget = Budget(1000, 200)
    assert sum(budget.request(1) for _ in range(1000)) == 160
    taken = drive(Budget(1000, 200), {1: 10}, 5)[1]
    assert 3900 <= taken <= 4400
    assert budget.refused == 840


def test_what_is_saved_has_an_end() -> None:
    """However long the pause, no more than a burst passes."""
    budget = Budget(10, 5)
    first = sum(budget.request(1, now=0) for _ in range(20))
    assert sum(budget.request(1, now=10**18) for _ in range(20)) == first == 4


@pytest.mark.parametrize("greedy", [1, 3, 20])
def test_a_modest_origin_is_served_whatever_others_offer(greedy: int) -> None:
    """Origins that offer twenty times the rate do not keep one that offers part of its share from being served."""
    budget = Budget(1000, 200)
    offers = dict.fromkeys(range(greedy), 20)
    drive(budget, offers, 1)
    served = 0
    for step in range(1000, 3000):
        for origin in offers:
            for _ in range(20):
                budget.request(origin, now=step * MS)
        if step % 50 == 0:
            served += budget.request(99, now=step * MS)
    assert served >= 39


def test_greedy_origins_share_alike() -> None:
    """Whoever offers more than its share gets its share, however much more it offers."""
    taken = drive(Budget(1000, 200), {1: 1, 2: 5, 3: 40}, 5)
    assert max(taken.values()) < 1.3 * min(taken.values())
    assert 3900 <= sum(taken.values()) <= 5200


def test_one_source_cannot_have_what_its_origin_may() -> None:
    """A source of an origin that is used up by another of its sources is still served."""
    budget = Budget(1000, 200)
    loud, quiet = b"l" * 32, b"q" * 32
    served = 0
    for step in range(2000):
        for _ in range(10):
            budget.request(1, loud, now=step * MS)
        if step % 20 == 0:
            served += budget.request(1, quiet, now=step * MS)
    assert served >= 99


def test_the_known_find_room_when_strangers_have_used_theirs() -> None:
    """Strangers from many origins fill the burst and no more; what lies above it is for the known."""
    budget = Budget(1000, 100)
    assert sum(budget.request(origin) for origin in range(256)) == 100
    assert not budget.request(200)
    assert budget.request(200, known=True)
    assert sum(budget.request(origin, known=True) for origin in range(100, 256)) == 24


def test_waiting_as_long_as_told_is_enough() -> None:
    """After the delay it names a budget lets the request pass, and it names none when it would now."""
    budget = Budget(1000, 200)
    assert budget.delay(1) == 0
    while budget.request(1):
        pass
    delay = budget.delay(1)
    assert 0 < delay < 10 * MS
    assert budget.request(1, now=delay)


@pytest.mark.parametrize(("rate", "burst"), [(0, 10), (-1, 10), (10, 0), (float("nan"), 10)])
def test_a_budget_that_lets_nothing_pass_is_refused(rate: float, burst: float) -> None:
    """Rate and burst must be of use."""
    with pytest.raises(ValueError, match="a budget needs"):
        Budget(rate, burst)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.booleans(), st.floats(0.1, 5), st.integers(0, 10**12)), max_size=300
    )
)
def test_no_more_than_the_rate_passes(requests: list[tuple[int, bool, float, int]]) -> None:
    """Whatever is asked, by whomever and after whatever pause: the total never exceeds what burst and rate allow."""
    budget = Budget(100, 20)
    now, used = 0, 0.0
    for origin, known, cost, pause in requests:
        now += pause
        if budget.request(origin, known=known, cost=cost, now=now):
            used += cost
    assert used <= 1.25 * (20 + 100 * now / SECOND) + 1e-6


def test_what_is_given_back_may_be_used() -> None:
    """Tokens that turned out not to be needed are there again, for their source, origin and all others."""
    budget = Budget(1000, 200)
    source = bytes(32)
    taken = 0
    while budget.request(1, source, cost=10.0):
        budget.refund(1, source, cost=9.0)
        taken += 1
    assert 70 <= taken <= 160
    budget.refund(1, source, cost=1e9)
    assert sum(budget.request(1, source) for _ in range(150)) == 100
    with pytest.raises(ValueError, match="32 bytes"):
        budget.refund(1, b"short")


@pytest.mark.parametrize("greedy", [70, 100])
def test_what_costs_more_than_a_share_is_served(greedy: int) -> None:
    """Where so many divide the burst that one request exceeds a share, who asks now and then has it nearly always."""
    budget = Budget(200_000, 40_000)
    served = 0
    for step in range(8000):
        for number in range(10 * step, 10 * step + 10):
            source = (number * 2**65 + number).to_bytes(32, "little")
            if budget.request(number % greedy, source, cost=250, now=step * MS):
                budget.refund(number % greedy, source, cost=220, now=step * MS)
        if step % 500 == 499:
            served += budget.request(999, bytes([step % 256]) * 32, cost=250, now=step * MS)
    assert served >= 14


@pytest.mark.parametrize("modest", [257, 4097, 2**40 + 1])
def test_no_origin_pays_for_another(modest: int) -> None:
    """Whatever the numbers are: a modest origin is served while others use up all they may."""
    budget = Budget(4000, 200)
    served = 0
    for step in range(1000):
        for origin in (1, 1, 1, 1, 1, 2, 2, 2, 3):
            budget.request(origin, now=step * MS, known=True)
        if step % 20 == 0:
            served += budget.request(modest, now=step * MS, known=True)
    assert served >= 49


def test_hundreds_of_origins_share_alike() -> None:
    """The share counts all that are in use, beyond the first 256 too."""
    taken = drive(Budget(40_000, 2000), dict.fromkeys(range(600), 1), 0.5)
    assert 0.6 * 40_000 * 0.5 <= sum(taken.values()) <= 1.1 * (40_000 * 0.5 + 2000)
    assert max(taken.values()) <= 1.3 * min(taken.values())


def test_origins_that_come_and_go_take_no_memory() -> None:
    """Room is made by those that have nothing left in use, and is as large as those ask for that have."""
    budget = Budget(4000, 200)
    for number in range(100_000):
        budget.request(number, now=number * MS)
    assert budget.slots <= 256
    for number in range(100_000):
        budget.use(number, 3, now=100 * SECOND)
    assert budget.slots == 4096
    assert not budget.request(1, now=100 * SECOND)
    assert budget.request(1, now=110 * SECOND)


def test_what_must_be_done_counts_for_what_else_is_asked() -> None:
    """It is never refused; whose work it was is refused the rest, others are not."""
    budget = Budget(1000, 200)
    for _ in range(150):
        budget.use(1)
    assert not budget.request(1, cost=20)
    assert budget.request(2, cost=20)


@pytest.mark.parametrize("greedy", [150, 200, 300])
def test_sources_that_others_invent_are_not_taken_for_ours(greedy: int) -> None:
    """However many origins flood in ever new names, an honest one that asks for less than its share has it all."""
    budget = Budget(200_000, 40_000)
    asked = served = 0
    for step in range(5000):
        for number in range(20 * step, 20 * step + 20):
            source = (number * 2**65 + number).to_bytes(32, "little")
            budget.request(number % greedy, source, cost=50, now=step * MS)
        if step >= 1000 and step % 100 == 0:
            asked += 1
            served += budget.request(999, bytes([step // 100]) * 32, cost=20, now=step * MS)
    assert served == asked


def test_few_sources_meet_a_loud_one() -> None:
    """Hundreds of quiet sources of an origin are served beside one that asks for all there is."""
    budget = Budget(1000, 400)
    served = 0
    for step in range(4000):
        budget.request(1, b"l" * 32, now=step * MS)
        if step % 10 == 0:
            served += budget.request(1, (7 * step).to_bytes(32, "little"), now=step * MS)
    assert served >= 398
