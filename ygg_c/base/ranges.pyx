"""Sorted disjoint ranges in one small array."""

from libc.stdlib cimport free, realloc
from libc.string cimport memmove


cdef void ranges_clear(Ranges *ranges) noexcept nogil:
    free(ranges.items)
    ranges.items = NULL
    ranges.count = 0
    ranges.room = 0
    ranges.total = 0


cdef bint _make_room(Ranges *ranges, size_t most) noexcept nogil:
    cdef size_t room = ranges.room * 2 if ranges.room else 4
    cdef Range *grown
    if ranges.count >= most:
        return False
    if ranges.count == ranges.room:
        grown = <Range *>realloc(ranges.items, room * sizeof(Range))
        if grown == NULL:
            return False
        ranges.items = grown
        ranges.room = room
    return True


cdef size_t ranges_growth(const Ranges *ranges) noexcept nogil:
    return 0 if ranges.count < ranges.room else max(ranges.room, <uint32_t>4) * sizeof(Range)


cdef size_t _first_beyond(const Ranges *ranges, uint64_t position) noexcept nogil:
    # The index of the first range that ends beyond `position`, or `count`.
    cdef size_t low = 0
    cdef size_t high = ranges.count
    cdef size_t middle
    while low < high:
        middle = (low + high) // 2
        if ranges.items[middle].end > position:
            high = middle
        else:
            low = middle + 1
    return low


cdef long long ranges_add(Ranges *ranges, uint64_t start, uint64_t end, size_t most) noexcept nogil:
    cdef size_t first = _first_beyond(ranges, start - 1) if start else 0
    cdef size_t last
    cdef uint64_t before = ranges.total
    last = first
    # [first, last) are the ranges that the new one touches: they become one.
    while last < ranges.count and ranges.items[last].start <= end:
        start = min(start, ranges.items[last].start)
        end = max(end, ranges.items[last].end)
        ranges.total -= ranges.items[last].end - ranges.items[last].start
        last += 1
    if first == last:
        if not _make_room(ranges, most):
            return -1
        memmove(ranges.items + first + 1, ranges.items + first, (ranges.count - first) * sizeof(Range))
        ranges.count += 1
    elif last - first > 1:
        memmove(ranges.items + first + 1, ranges.items + last, (ranges.count - last) * sizeof(Range))
        ranges.count -= last - first - 1
    ranges.items[first].start = start
    ranges.items[first].end = end
    ranges.total += end - start
    return <long long>(ranges.total - before)


cdef void ranges_trim(Ranges *ranges, uint64_t below) noexcept nogil:
    cdef size_t gone = 0
    while gone < ranges.count and ranges.items[gone].end <= below:
        ranges.total -= ranges.items[gone].end - ranges.items[gone].start
        gone += 1
    if gone:
        ranges.count -= gone
        memmove(ranges.items, ranges.items + gone, ranges.count * sizeof(Range))
    if ranges.count and ranges.items[0].start < below:
        ranges.total -= below - ranges.items[0].start
        ranges.items[0].start = below


cdef bint ranges_overlap(const Ranges *ranges, uint64_t start, uint64_t end, uint64_t *overlap) noexcept nogil:
    cdef size_t index = _first_beyond(ranges, start)
    if index == ranges.count or ranges.items[index].start >= end:
        return False
    overlap[0] = max(start, ranges.items[index].start)
    overlap[1] = min(end, ranges.items[index].end)
    return True


cdef size_t ranges_find(const Ranges *ranges, uint64_t position) noexcept nogil:
    cdef size_t index = _first_beyond(ranges, position)
    return index if index < ranges.count and ranges.items[index].start <= position else ranges.count
