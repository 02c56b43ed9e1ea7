"""ygg_c.tcp.sendqueue: what was written and is not acknowledged, against a model that is a bytes object."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ygg_c.base.checksum import checksum
from ygg_c.testing.containers import SendQueueTap

COALESCE, OWN, COST, FIRST = 2048, 16384, 64, 512
STREAM = random.Random(2).randbytes(1 << 20)


def in_wire_order(total: int) -> int:
    """Return the checksum that a sum in memory order makes."""
    return 0xFFFF ^ int.from_bytes(total.to_bytes(2, sys.byteorder), "big")


def content(queue: SendQueueTap) -> bytes:
    return queue.copy(queue.base, queue.end - queue.base)[0]


def test_what_is_written_can_be_copied_from_anywhere() -> None:
    queue = SendQueueTap(1000)
    assert queue.write(STREAM[:100]) == 100
    assert queue.write(STREAM[100:5000]) == 4900
    assert queue.write(STREAM[5000:5003]) == 3
    assert (queue.base, queue.end) == (1000, 6003)
    assert content(queue) == STREAM[:5003]
    assert queue.copy(1099, 2)[0] == STREAM[99:101]
    assert queue.copy(1000, 1)[0] == STREAM[:1]         # back to the start
    assert queue.copy(6002, 1)[0] == STREAM[5002:5003]
    assert queue.copy(1050, 0) == (b"", 0)


@pytest.mark.parametrize("size", [1, 2, 3, 511, 4096, 5003])
@pytest.mark.parametrize("skip", [0, 1, 97])
def test_the_sum_is_the_internet_checksum_across_odd_pieces(size: int, skip: int) -> None:
    queue = SendQueueTap()
    for start, end in ((0, 2051), (2051, 2054), (2054, 4201), (4201, 8000)):
        queue.write(STREAM[start:end])
    data, total = queue.copy(skip, size)
    assert data == STREAM[skip : skip + size]
    assert in_wire_order(total) == checksum(data)


def test_large_bytes_are_kept_and_small_or_mutable_ones_copied() -> None:
    large, small = bytes(COALESCE), bytes(COALESCE - 1)
    for data, kept in ((large, 1), (small, 0), (bytearray(large), 0), (memoryview(large), 0)):
        queue = SendQueueTap()
        before = sys.getrefcount(data)
        queue.write(data)
        assert sys.getrefcount(data) - before == kept
        queue.release(len(data))
        assert sys.getrefcount(data) == before


def test_what_was_copied_may_be_changed_afterwards() -> None:
    queue, data = SendQueueTap(), bytearray(b"abc" * 1000)
    queue.write(data)
    data[:] = bytes(len(data))
    assert content(queue) == b"abc" * 1000


def test_small_writes_share_chunks() -> None:
    queue = SendQueueTap()
    queue.write(b"x" * 100)
    assert (queue.pieces, queue.held) == (1, FIRST + COST)
    for _ in range(100):
        queue.write(b"x" * 100)
    assert queue.pieces == 2
    assert queue.held == FIRST + OWN + 2 * COST
    assert content(queue) == b"x" * 10_100


def test_a_limit_takes_a_part() -> None:
    queue = SendQueueTap()
    assert queue.write(STREAM[:5000], 4000) == 4000
    assert queue.write(bytearray(STREAM[4000:4100]), 10) == 10
    assert queue.write(b"abc", 0) == 0
    assert queue.write(b"") == 0
    assert content(queue) == STREAM[:4010]


def test_what_is_no_bytes_is_refused_and_nothing_is_queued() -> None:
    queue = SendQueueTap()
    with pytest.raises(TypeError):
        queue.write("text")     # type: ignore[arg-type]
    assert (queue.end, queue.pieces) == (0, 0)


def test_a_piece_is_held_until_all_of_it_is_acknowledged() -> None:
    queue = SendQueueTap()
    queue.write(bytes(5000))
    queue.write(bytes(6000))
    queue.release(4999)
    assert (queue.base, queue.held) == (4999, 11_000 + 2 * COST)
    queue.release(5000)
    assert queue.held == 6000 + COST
    queue.release(4000)         # an old acknowledgement
    assert queue.base == 5000
    queue.release(11_000)
    assert (queue.base, queue.end, queue.pieces, queue.held) == (11_000, 11_000, 0, 0)


def test_after_all_is_acknowledged_it_begins_anew() -> None:
    """What is left of a shared chunk that has gone is not written to."""
    queue = SendQueueTap()
    queue.write(b"a" * 10)
    queue.release(10)
    queue.write(b"b" * 10)
    assert queue.copy(10, 10)[0] == b"b" * 10
    queue.release(20)
    queue.rest()
    queue.write(b"c" * 10)
    queue.rest()                # not empty: nothing happens
    assert queue.copy(20, 10)[0] == b"c" * 10


def test_clearing_keeps_the_place_in_the_stream() -> None:
    queue = SendQueueTap(5)
    data = bytes(4000)
    before = sys.getrefcount(data)
    queue.write(data)
    queue.clear()
    assert sys.getrefcount(data) == before
    assert (queue.base, queue.end, queue.held, queue.pieces) == (4005, 4005, 0, 0)
    queue.write(b"more")
    assert queue.copy(4005, 4)[0] == b"more"


class SendMachine(RuleBasedStateMachine):
    """Whatever is written, copied and acknowledged, what is held is the stream from `base` to `end`."""

    @initialize(base=st.sampled_from([0, 1, 2**32 - 100, 2**63 + 1]))
    def begin(self, base: int) -> None:
        self.base = base
        self.queue = SendQueueTap(base)
        self.low = self.high = 0

    @rule(size=st.sampled_from([1, 3, 500, 511, 513, 2047, 2048, 9001, 20_000]),
          kind=st.sampled_from([bytes, bytearray]), limit=st.sampled_from([1 << 40, 1 << 40, 1000]))
    def write(self, size: int, kind: type, limit: int) -> None:
        taken = min(size, limit)
        if self.high + size < len(STREAM):
            assert self.queue.write(kind(STREAM[self.high : self.high + size]), limit) == taken
            self.high += taken

    @precondition(lambda self: self.high > self.low)
    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(self.low, self.high - 1))
        size = min(data.draw(st.sampled_from([1, 1219, 1220, 30_000])), self.high - start)
        copied, total = self.queue.copy(self.base + start, size)
        assert copied == STREAM[start : start + size]
        assert in_wire_order(total) == checksum(copied)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        self.low = data.draw(st.integers(self.low, self.high))
        self.queue.release(self.base + self.low)

    @rule()
    def rest(self) -> None:
        self.queue.rest()

    @invariant()
    def places_agree(self) -> None:
        if hasattr(self, "queue"):
            assert (self.queue.base, self.queue.end) == (self.base + self.low, self.base + self.high)
            assert self.queue.held >= self.high - self.low
            assert (self.queue.pieces == 0) == (self.low == self.high)


TestSendQueue = SendMachine.TestCase
TestSendQueue.settings = settings(max_examples=60, stateful_step_count=30)
