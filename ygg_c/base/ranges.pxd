# A sorted set of disjoint half-open ranges of stream positions: what arrived out of order, what the peer has SACKed.

from libc.stdint cimport uint32_t, uint64_t

cdef struct Range:
    uint64_t start
    uint64_t end

cdef struct Ranges:
    Range *items
    uint64_t total          # positions covered
    uint32_t count
    uint32_t room

cdef void ranges_clear(Ranges *ranges) noexcept nogil       # frees the memory too
# Add [start, end), joining what touches. Returns the positions that were new, or -1 when there is no room: there would
# be more than `most` ranges.
cdef long long ranges_add(Ranges *ranges, uint64_t start, uint64_t end, size_t most) noexcept nogil
cdef size_t ranges_growth(const Ranges *ranges) noexcept nogil      # bytes of memory that one range more takes
cdef void ranges_trim(Ranges *ranges, uint64_t below) noexcept nogil
# The first part of [start, end) that is in the set; False: none is.
cdef bint ranges_overlap(const Ranges *ranges, uint64_t start, uint64_t end, uint64_t *overlap) noexcept nogil
# The index of the range that holds `position`, or `count`.
cdef size_t ranges_find(const Ranges *ranges, uint64_t position) noexcept nogil
