"""ygg_c.link.drain: how fast a link drains, and what may therefore wait below its fair queue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg_c.testing.rates import DrainTap

MS = 1_000_000
FIRST = 2_000_000


def measure(drain: DrainTap, rate: int, start: int = 0, windows: int = 1, dry: bool = False) -> int:
    """Have a full transport take bytes at a rate for some windows of measurement; return the time of the end."""
    now = start
    drain.flushed(True, now)
    for _ in range(windows):
        for _ in range(20):
            now += MS
            drain.took(rate // 1000, True, now)
        if dry:
            drain.ran_dry()
        drain.flushed(True, now)
    return now


def test_it_begins_with_a_guess() -> None:
    drain = DrainTap()
    assert (drain.rate, drain.guessed) == (FIRST, True)


def test_a_full_transport_shows_its_rate_after_20_ms() -> None:
    drain = DrainTap()
    drain.flushed(True, 0)
    drain.took(100_000, True, 19 * MS)
    drain.flushed(True, 19 * MS)
    assert drain.guessed
    drain.flushed(True, 20 * MS)
    assert (drain.rate, drain.guessed) == (5_000_000, False)


def test_the_first_measurement_counts_whole_and_later_ones_a_quarter() -> None:
    drain = DrainTap()
    now = measure(drain, 1_000_000)
    assert drain.rate == 1_000_000
    measure(drain, 5_000_000, now)
    assert drain.rate == 2_000_000


def test_what_was_taken_while_there_was_room_does_not_count() -> None:
    drain = DrainTap()
    drain.flushed(True, 0)
    drain.took(1000, False, MS)
    drain.flushed(False, MS)        # not full any more: the measurement is void
    drain.flushed(True, 10 * MS)
    drain.took(20_000, True, 15 * MS)
    drain.flushed(True, 25 * MS)
    assert drain.guessed
    drain.flushed(True, 30 * MS)
    assert drain.rate == 1_000_000


def test_a_transport_that_ran_dry_would_have_taken_more() -> None:
    """A sample below the rate says nothing then, one above it does; and the transport may hold more from then on."""
    drain = DrainTap()
    now = measure(drain, 4_000_000)
    unsent = drain.limits["unsent"]
    now = measure(drain, 1_000_000, now, dry=True)
    assert drain.rate == 4_000_000
    assert drain.limits["unsent"] == unsent + 4_000_000 * 2 // 1000
    measure(drain, 8_000_000, now, dry=True)
    assert drain.rate == 5_000_000


def test_what_it_may_hold_beyond_has_an_end_and_ebbs() -> None:
    drain = DrainTap()
    now = measure(drain, 4_000_000)
    for _ in range(100):
        drain.ran_dry()
    most = drain.limits["unsent"]
    assert most == 4_000_000 * (4 + 30) // 1000
    measure(drain, 4_000_000, now, windows=20)
    assert drain.limits["unsent"] < most


def test_a_guess_doubles_when_a_burst_is_taken_without_filling_up() -> None:
    drain = DrainTap()
    flight = drain.limits["flight"]
    drain.took(2 * flight - 1, False, 0)
    assert drain.rate == FIRST
    drain.took(1, False, MS)
    assert (drain.rate, drain.guessed) == (2 * FIRST, True)


@pytest.mark.parametrize("between", ["a pause", "full"])
def test_what_is_no_burst_doubles_nothing(between: str) -> None:
    drain = DrainTap()
    flight = drain.limits["flight"]
    drain.took(2 * flight - 1, False, 0)
    if between == "full":
        drain.took(1, True, 0)
    drain.took(1, False, 2 * MS if between == "a pause" else 0)
    assert drain.rate == FIRST


def test_a_measured_rate_doubles_only_beyond_what_slow_links_absorb() -> None:
    drain = DrainTap()
    now = measure(drain, 100_000)
    drain.took(2 * 262_144 - 1, False, now)
    assert drain.rate == 100_000
    drain.took(1, False, now)
    assert (drain.rate, drain.guessed) == (200_000, True)


@pytest.mark.parametrize(("rate", "limits"), [
    (1_000, {"flight": 2, "unsent": 2048, "credit": 2, "ahead": 0, "burst": 1220}),
    (1_000_000, {"flight": 2_500, "unsent": 4_000, "credit": 2_500, "ahead": 0, "burst": 10_000}),
    (100_000_000, {"flight": 250_000, "unsent": 400_000, "credit": 262_144, "ahead": 262_144, "burst": 65_536}),
])
def test_limits_are_a_times_worth_of_bytes_between_bounds(rate: int, limits: dict[str, int]) -> None:
    drain = DrainTap()
    measure(drain, rate)
    assert drain.rate == rate
    assert drain.limits == limits


KINDS = ["took", "full", "flushed", "room", "dry"]
steps = st.tuples(st.sampled_from(KINDS), st.integers(0, 10**9), st.integers(0, 10**10))


@given(st.lists(steps, max_size=60))
def test_whatever_happens_rate_and_limits_stay_between_bounds(steps: list[tuple[str, int, int]]) -> None:
    drain, now = DrainTap(), 0
    for what, size, passed in steps:
        now += passed
        if what in ("took", "full"):
            drain.took(size, what == "full", now)
        elif what == "dry":
            drain.ran_dry()
        else:
            drain.flushed(what == "flushed", now)
        limits = drain.limits
        assert 1 <= drain.rate <= 10**9
        assert 1 <= limits["flight"] <= 262_144
        assert 2048 <= limits["unsent"] <= 524_288
        assert limits["credit"] == max(limits["flight"], limits["ahead"])
        assert 1220 <= limits["burst"] <= 65_536
