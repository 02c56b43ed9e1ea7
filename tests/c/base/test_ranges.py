"""ygg_c.base.ranges: sorted disjoint ranges, against a model that is a set of positions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ygg_c.testing.containers import RangesTap

LAST = 2**64 - 1


def of(*items: tuple[int, int]) -> RangesTap:
    """Return a set of these ranges."""
    ranges = RangesTap()
    for start, end in items:
        ranges.add(start, end)
    return ranges


@pytest.mark.parametrize(("added", "items", "fresh"), [
    ((0, 5), [(0, 5), (10, 20), (30, 40)], 5),
    ((0, 10), [(0, 20), (30, 40)], 10),                 # touches from below
    ((20, 25), [(10, 25), (30, 40)], 5),                # touches from above
    ((21, 29), [(10, 20), (21, 29), (30, 40)], 8),      # touches neither, by one
    ((20, 30), [(10, 40)], 10),
    ((12, 18), [(10, 20), (30, 40)], 0),
    ((10, 20), [(10, 20), (30, 40)], 0),
    ((5, 50), [(5, 50)], 25),
    ((15, 35), [(10, 40)], 10),
    ((50, 60), [(10, 20), (30, 40), (50, 60)], 10),
])
def test_what_touches_becomes_one(added: tuple[int, int], items: list[tuple[int, int]], fresh: int) -> None:
    ranges = of((10, 20), (30, 40))
    assert ranges.add(*added) == fresh
    assert ranges.items == items
    assert ranges.total == sum(end - start for start, end in items)


def test_positions_reach_to_the_last() -> None:
    ranges = of((LAST - 4, LAST))
    assert ranges.add(0, 1) == 1
    assert ranges.items == [(0, 1), (LAST - 4, LAST)]
    assert ranges.overlap(0, LAST) == (0, 1)
    assert ranges.find(LAST - 1) == 1


def test_there_are_no_more_ranges_than_allowed_and_what_joins_is_none_more() -> None:
    ranges = of((10, 20), (30, 40))
    assert ranges.add(50, 60, most=2) == -1
    assert ranges.items == [(10, 20), (30, 40)]
    assert ranges.total == 20
    assert ranges.add(20, 22, most=2) == 2
    assert ranges.add(22, 30, most=1) == 8
    assert ranges.items == [(10, 40)]


@pytest.mark.parametrize(("below", "items"), [
    (0, [(10, 20), (30, 40)]),
    (10, [(10, 20), (30, 40)]),
    (11, [(11, 20), (30, 40)]),
    (20, [(30, 40)]),
    (25, [(30, 40)]),
    (39, [(39, 40)]),
    (40, []),
    (LAST, []),
])
def test_what_is_below_is_taken_out(below: int, items: list[tuple[int, int]]) -> None:
    ranges = of((10, 20), (30, 40))
    ranges.trim(below)
    assert ranges.items == items
    assert ranges.total == sum(end - start for start, end in items)


@pytest.mark.parametrize(("asked", "found"), [
    ((0, 10), None), ((0, 11), (10, 11)), ((19, 30), (19, 20)), ((20, 30), None), ((20, 31), (30, 31)),
    ((0, 100), (10, 20)), ((40, 50), None),
])
def test_the_first_part_that_is_in_the_set(asked: tuple[int, int], found: tuple[int, int] | None) -> None:
    assert of((10, 20), (30, 40)).overlap(*asked) == found


def test_memory_grows_by_doubling_and_is_told_before() -> None:
    ranges = RangesTap()
    growths = []
    for number in range(9):
        growths.append(ranges.growth)
        ranges.add(10 * number, 10 * number + 1)
    assert growths == [64, 0, 0, 0, 64, 0, 0, 0, 128]
    ranges.clear()
    assert (ranges.items, ranges.total, ranges.growth) == ([], 0, 64)


class RangesMachine(RuleBasedStateMachine):
    """Whatever is added and taken out, the set holds the positions that a set of integers holds, joined."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges = RangesTap()
        self.model: set[int] = set()

    @rule(start=st.integers(0, 60), size=st.integers(1, 12))
    def add(self, start: int, size: int) -> None:
        added = set(range(start, start + size))
        assert self.ranges.add(start, start + size) == len(added - self.model)
        self.model |= added

    @rule(start=st.integers(0, 60), size=st.integers(1, 4), most=st.integers(0, 4))
    def add_where_places_are_few(self, start: int, size: int, most: int) -> None:
        before = self.ranges.items
        joins = any(low <= start + size and start <= high for low, high in before)
        if self.ranges.add(start, start + size, most) < 0:
            assert not joins
            assert len(before) >= most
        else:
            assert joins or len(before) < most
            self.model |= set(range(start, start + size))

    @rule(below=st.integers(0, 75))
    def trim(self, below: int) -> None:
        self.ranges.trim(below)
        self.model = {position for position in self.model if position >= below}

    @rule()
    def clear(self) -> None:
        self.ranges.clear()
        self.model = set()

    @rule(start=st.integers(0, 80), size=st.integers(1, 20))
    def overlap(self, start: int, size: int) -> None:
        found = self.ranges.overlap(start, start + size)
        inside = sorted(self.model & set(range(start, start + size)))
        if not inside:
            assert found is None
            return
        assert found is not None
        assert found[0] == inside[0]
        assert set(range(*found)) <= self.model
        assert found[1] == start + size or found[1] not in self.model

    @rule(position=st.integers(0, 80))
    def find(self, position: int) -> None:
        index = self.ranges.find(position)
        assert (index is not None) == (position in self.model)
        if index is not None:
            start, end = self.ranges.items[index]
            assert start <= position < end

    @invariant()
    def is_sorted_disjoint_and_whole(self) -> None:
        items = self.ranges.items
        assert all(start < end for start, end in items)
        assert all(before[1] < after[0] for before, after in itertools.pairwise(items))
        assert {position for start, end in items for position in range(start, end)} == self.model
        assert self.ranges.total == len(self.model)


TestRanges = RangesMachine.TestCase
TestRanges.settings = settings(max_examples=100, stateful_step_count=40)
