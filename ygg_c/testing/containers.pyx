"""Ranges, timers and the queues of a connection's data as Python objects."""

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.checksum cimport sum_fold
from ygg_c.base.clock cimport NEVER
from ygg_c.base.ranges cimport Ranges, ranges_add, ranges_clear, ranges_find, ranges_growth, ranges_overlap, ranges_trim
from ygg_c.base.timers cimport Timed, TimerHeap
from ygg_c.tcp.receivequeue cimport (
    ReceiveQueue, received_clear, received_covered, received_fill, received_growth, received_insert, received_renege,
    received_rest, received_spare, received_start, received_take
)
from ygg_c.tcp.sendqueue cimport (
    SendQueue, queue_clear, queue_copy, queue_release, queue_rest, queue_start, queue_write
)


cdef list _pairs(const Ranges *ranges):
    return [(ranges.items[index].start, ranges.items[index].end) for index in range(ranges.count)]


cdef class RangesTap:
    """A set of half-open ranges."""

    cdef Ranges _ranges

    def __dealloc__(self):
        ranges_clear(&self._ranges)

    @property
    def items(self):
        return _pairs(&self._ranges)

    @property
    def total(self):
        return self._ranges.total

    @property
    def growth(self):
        return ranges_growth(&self._ranges)

    def add(self, uint64_t start, uint64_t end, size_t most=1 << 20):
        """Add [start, end)."""
        return ranges_add(&self._ranges, start, end, most)

    def trim(self, uint64_t below):
        """Take out what is below."""
        ranges_trim(&self._ranges, below)

    def overlap(self, uint64_t start, uint64_t end):
        """Return the first part of [start, end) that is in the set, or None."""
        cdef uint64_t found[2]
        return (found[0], found[1]) if ranges_overlap(&self._ranges, start, end, found) else None

    def find(self, uint64_t position):
        """Return the index of the range that holds a position, or None."""
        index = ranges_find(&self._ranges, position)
        return index if index < self._ranges.count else None

    def clear(self):
        """Take out everything."""
        ranges_clear(&self._ranges)


cdef class TimedTap(Timed):
    """Something with a deadline that calls Python."""

    cdef object _fired

    def __init__(self, fired):
        self._fired = fired

    cdef void fire(self, uint64_t now) noexcept:
        again = self._fired(now)
        if again is not None:
            self.due = again


cdef class TimersTap:
    """A heap of such objects."""

    cdef TimerHeap _heap
    cdef set _members       # the heap holds no references

    def __cinit__(self):
        self._heap = TimerHeap()
        self._members = set()

    def set(self, TimedTap timed not None, due):
        """Move a deadline."""
        timed.due = NEVER if due is None else due
        self._members.add(timed)
        self._heap.note(timed)

    def forget(self, TimedTap timed not None):
        """Take a timer out."""
        self._heap.forget(timed)
        self._members.discard(timed)

    def run(self, uint64_t now):
        """Fire what is due; return the next deadline, or None."""
        deadline = self._heap.run(now)
        return None if deadline == NEVER else deadline


cdef class ReceiveQueueTap:
    """A receive queue."""

    cdef ReceiveQueue _queue

    def __init__(self, uint64_t position=0):
        received_start(&self._queue, position)

    def __dealloc__(self):
        received_clear(&self._queue)

    @property
    def read(self):
        return self._queue.read

    @property
    def next(self):
        return self._queue.next

    @property
    def held(self):
        return self._queue.held

    @property
    def covered(self):
        return received_covered(&self._queue)

    @property
    def beyond(self):
        return _pairs(&self._queue.ranges)

    def insert(self, uint64_t position, bytes data not None):
        """Put bytes at a position."""
        if position < self._queue.next:
            raise ValueError("a position below `next`")
        return received_insert(&self._queue, position, <const uint8_t *><const char *>data, len(data))

    def growth(self, uint64_t position, uint64_t end):
        """Return the bytes of memory that it takes to put in what is from `position` to `end`."""
        return received_growth(&self._queue, position, end)

    def take(self, size_t limit):
        """Take bytes out."""
        return received_take(&self._queue, limit)

    def fill(self, buffer):
        """Take bytes out into a buffer."""
        return received_fill(&self._queue, buffer)

    def renege(self):
        """Drop what is beyond `next`."""
        received_renege(&self._queue)

    def rest(self):
        """Free what an empty one keeps."""
        received_rest(&self._queue)

    def spare(self):
        """Memory is short: small chunks."""
        received_spare(&self._queue)

    def clear(self):
        """Drop everything."""
        received_clear(&self._queue)


cdef class SendQueueTap:
    """A send queue."""

    cdef SendQueue _queue

    def __init__(self, uint64_t position=0):
        queue_start(&self._queue, position)

    def __dealloc__(self):
        queue_clear(&self._queue)

    @property
    def base(self):
        return self._queue.base

    @property
    def end(self):
        return self._queue.end

    @property
    def held(self):
        return self._queue.held

    @property
    def pieces(self):
        return self._queue.count

    def write(self, data, size_t limit=1 << 40):
        """Queue at most `limit` bytes."""
        return queue_write(&self._queue, data, limit)

    def release(self, uint64_t below):
        """Drop what is below a position."""
        queue_release(&self._queue, below)

    def copy(self, uint64_t position, size_t size):
        """Return bytes and their sum."""
        cdef bytearray target = bytearray(size)
        if position < self._queue.base or position + size > self._queue.end:
            raise ValueError("not all of that is held")
        total = queue_copy(&self._queue, <uint8_t *><char *>target, position, size, 0)
        return bytes(target), sum_fold(total)

    def rest(self):
        """Free what an empty one keeps."""
        queue_rest(&self._queue)

    def clear(self):
        """Drop everything."""
        queue_clear(&self._queue)
