"""ygg_c.tcp.receivequeue: each byte is written once, where it will be read; against a model that is a dictionary."""

from __future__ import annotations

import pickle
import random
import sys
import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ygg_c.testing.containers import ReceiveQueueTap

SMALL, LARGE, LEAST, COST = 16384, 65536, 960, 64
SPAN = 400_000
STREAM = random.Random(1).randbytes(1 << 20)


def part(start: int, size: int) -> bytes:
    return STREAM[start : start + size]


def take_all(queue: ReceiveQueueTap) -> bytes:
    taken = b""
    while piece := queue.take(1 << 30):
        taken += piece
    return taken


def test_what_came_in_order_is_read_in_order() -> None:
    queue = ReceiveQueueTap()
    for at in range(0, 5000, 500):
        assert queue.insert(at, part(at, 500))
    assert (queue.next, queue.beyond) == (5000, [])
    assert take_all(queue) == part(0, 5000)
    assert queue.read == 5000
    assert queue.take(10) == b""


def test_a_hole_is_waited_for() -> None:
    queue = ReceiveQueueTap(1 << 40)
    base = 1 << 40
    assert queue.insert(base + 100, part(100, 100))
    assert queue.insert(base + 300, part(300, 100))
    assert (queue.next, queue.beyond) == (base, [(base + 100, base + 200), (base + 300, base + 400)])
    assert queue.take(100) == b""
    assert queue.insert(base, part(0, 100))
    assert (queue.next, queue.beyond) == (base + 200, [(base + 300, base + 400)])
    assert queue.insert(base + 200, part(200, 100))
    assert (queue.next, queue.beyond) == (base + 400, [])
    assert take_all(queue) == part(0, 400)


def test_a_segment_that_covers_more_than_a_hole() -> None:
    queue = ReceiveQueueTap()
    queue.insert(100, part(100, 50))
    queue.insert(200, part(200, 50))
    queue.insert(0, part(0, 220))
    assert (queue.next, queue.beyond) == (250, [])
    assert take_all(queue) == part(0, 250)


def test_a_message_alone_takes_little_and_a_bulk_takes_large_chunks() -> None:
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, LEAST))
    assert queue.held == LEAST + COST
    queue.insert(LEAST, part(LEAST, 1))
    assert queue.held == LEAST + SMALL + 2 * COST
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, SMALL))
    assert queue.take(SMALL) == part(0, SMALL)
    assert queue.growth(SMALL, SMALL + 2000) == LARGE
    queue.spare()
    assert queue.growth(SMALL, SMALL + 2000) == SMALL


def test_a_whole_chunk_is_handed_out_and_a_large_rest_too() -> None:
    """And nothing is held of it any more."""
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, SMALL + 5000))
    assert queue.take(1 << 20) == part(0, SMALL)
    assert queue.take(1 << 20) == part(SMALL, 5000)
    assert queue.held == 0


@pytest.mark.parametrize("size", [4096, 10_001, 16_000])
def test_a_rest_is_a_bytes_object_like_any_other_and_keeps_no_memory_beyond_it(size: int) -> None:
    """The chunk that it was is shortened to what it holds, also where the engine is built for the stable ABI."""
    tracemalloc.start()
    try:
        queue = ReceiveQueueTap()
        queue.insert(0, part(0, size))
        before = tracemalloc.get_traced_memory()[0]
        rest = queue.take(100_000)
        assert before - tracemalloc.get_traced_memory()[0] == pytest.approx(SMALL - size, abs=100)   # and some numbers
    finally:
        tracemalloc.stop()
    assert (rest, hash(rest), rest + b"!") == (part(0, size), hash(part(0, size)), part(0, size) + b"!")
    assert sys.getsizeof(rest) == sys.getsizeof(part(0, size))
    assert pickle.loads(pickle.dumps(rest)) == rest


def test_a_chunk_to_which_something_may_come_yet_is_copied() -> None:
    """What lies beyond a hole is in the same chunk: who has read what is before it must not hold that."""
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, 5000))
    queue.insert(6000, part(6000, 100))
    first = queue.take(1 << 20)
    assert first == part(0, 5000)
    assert queue.held == SMALL + COST
    queue.insert(5000, part(5000, 1000))
    assert take_all(queue) == part(5000, 1100)
    assert first == part(0, 5000)


def test_reading_by_small_steps_and_into_buffers() -> None:
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, 40_000))
    assert queue.take(0) == b""
    assert queue.take(7) == part(0, 7)
    space = bytearray(30_000)
    assert queue.fill(space) == 30_000
    assert space == part(7, 30_000)
    assert queue.fill(space) == 9_993
    assert space[:9_993] == part(30_007, 9_993)
    assert queue.fill(space) == 0
    with pytest.raises(BufferError):
        queue.fill(b"not writable")


def test_read_to_its_end_it_keeps_a_small_chunk_until_it_rests() -> None:
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, 500))
    assert queue.take(500) == part(0, 500)
    assert queue.held == LEAST + COST
    queue.insert(500, part(500, 900))
    assert queue.held == LEAST + COST       # filled again from its start
    queue.rest()
    assert queue.held == LEAST + COST       # there is something to be read
    assert queue.take(1 << 20) == part(500, 900)
    queue.rest()
    assert (queue.held, queue.read) == (0, 1400)
    queue.insert(1400, part(1400, 10))
    assert take_all(queue) == part(1400, 10)


def test_no_more_holes_than_2048() -> None:
    queue = ReceiveQueueTap()
    for number in range(2048):
        assert queue.insert(1 + 2 * number, b"x")
    assert not queue.insert(1 + 2 * 2048, b"x")
    assert len(queue.beyond) == 2048
    assert queue.insert(2 * 2047 + 2, b"y")         # makes the last one longer
    assert queue.insert(0, b"x")
    assert queue.next == 2
    assert queue.insert(9000, b"x")


def test_what_is_beyond_a_hole_can_be_dropped() -> None:
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, 100))
    queue.insert(200, part(200, 100_000))
    held = queue.held
    queue.renege()
    assert (queue.next, queue.beyond) == (100, [])
    assert queue.held < held
    assert queue.covered >= 100
    queue.insert(100, part(100, 150_000))
    assert take_all(queue) == part(0, 150_100)


def test_dropping_all_leaves_the_place_in_the_stream() -> None:
    queue = ReceiveQueueTap()
    queue.insert(0, part(0, 100))
    queue.insert(200, part(200, 100))
    queue.clear()
    assert (queue.read, queue.next, queue.held, queue.beyond) == (100, 100, 0, [])
    assert queue.take(10) == b""
    queue.insert(100, part(100, 300))
    assert take_all(queue) == part(100, 300)


class ReceiveMachine(RuleBasedStateMachine):
    """Whatever comes in whatever order, what is read is the stream."""

    @initialize(base=st.sampled_from([0, 1, 2**32 - 7, 2**63]))
    def begin(self, base: int) -> None:
        self.base = base
        self.queue = ReceiveQueueTap(base)
        self.have = bytearray(SPAN)         # 1 for each position beyond `next` that arrived
        self.read = self.next = 0

    sizes = st.sampled_from([1, 100, 959, 960, 961, 4096, 16_384, 40_000])

    def put(self, start: int, size: int) -> None:
        foreseen = self.queue.growth(self.base + start, self.base + start + size)
        before = self.queue.held
        assert self.queue.insert(self.base + start, part(start, size))
        assert 0 <= self.queue.held - before <= foreseen + COST * (foreseen // LEAST + 1)
        self.have[start : start + size] = b"\1" * size
        end = self.have.find(0, self.next)
        self.have[self.next : end] = bytes(end - self.next)
        self.next = end

    @rule(size=sizes)
    def comes_in_order(self, size: int) -> None:
        if self.next + size < SPAN:
            self.put(self.next, size)

    @rule(size=sizes, skip=st.sampled_from([1, 50, 1000, 20_000]))
    def comes_out_of_order(self, size: int, skip: int) -> None:
        if self.next + skip + size < SPAN:
            self.put(self.next + skip, size)

    @rule(limit=st.sampled_from([1, 500, 4096, 20_000, 1 << 20]), into=st.booleans())
    def reads(self, limit: int, into: bool) -> None:
        if into:
            space = bytearray(limit)
            got = bytes(space[: self.queue.fill(space)])
            assert len(got) == min(limit, self.next - self.read)
        else:
            got = self.queue.take(limit)
            assert len(got) <= limit
            assert bool(got) == (self.next > self.read)
        assert got == part(self.read, len(got))
        self.read += len(got)

    @rule()
    def reneges(self) -> None:
        self.queue.renege()
        self.have = bytearray(SPAN)

    @rule()
    def rests(self) -> None:
        self.queue.rest()
        if self.read == self.next and not self.queue.beyond:
            assert self.queue.held == 0

    @rule()
    def spares(self) -> None:
        self.queue.spare()

    @invariant()
    def places_agree(self) -> None:
        if not hasattr(self, "queue"):
            return
        assert self.queue.read == self.base + self.read
        assert self.queue.next == self.base + self.next
        beyond = bytearray(SPAN)
        for start, end in self.queue.beyond:
            assert start < end
            beyond[start - self.base : end - self.base] = b"\1" * (end - start)
        assert beyond == self.have
        assert self.queue.covered >= self.base + max(self.next, self.have.rfind(1) + 1)
        assert self.queue.held >= self.next - self.read


TestReceiveQueue = ReceiveMachine.TestCase
TestReceiveQueue.settings = settings(max_examples=60, stateful_step_count=30)
