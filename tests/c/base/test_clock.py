"""Clocks: the system's, which a test may have run ahead, and one that stands still."""

import time

from ygg_c.base.clock import Clock, VirtualClock


def test_the_clock_is_that_of_python() -> None:
    clock = Clock()
    assert time.monotonic_ns() <= clock.now() <= time.monotonic_ns()
    assert abs(clock.unix() - time.time_ns()) < 2 * 10**9


def test_it_runs_ahead_when_told() -> None:
    clock, other = Clock(), Clock()
    before = time.monotonic_ns()
    clock.advance(5 * 10**9)
    clock.advance(10**9)
    assert before + 6 * 10**9 <= clock.now() <= time.monotonic_ns() + 6 * 10**9
    assert abs(clock.unix() - time.time_ns() - 6 * 10**9) < 2 * 10**9
    assert other.now() <= time.monotonic_ns()       # another goes on as it was


def test_a_virtual_clock_moves_by_advance_alone() -> None:
    clock = VirtualClock(epoch=10**18)
    assert (clock.now(), clock.unix()) == (0, 10**18)
    clock.advance(7)
    assert (clock.now(), clock.unix()) == (7, 10**18 + 7)
