# What a link brings before its far side has proved that it holds its key: kept, within bounds, until it has.

from libc.stdint cimport uint8_t

cdef enum:
    PARKED_MAX = 32768          # bytes of framed announcements: some 150 records, deeper than any real tree

cdef class Parked:
    cdef uint8_t *records       # framed, in the order in which they came
    cdef size_t size
    cdef size_t taken           # bytes of them that have been handled since
    cdef bytes filter           # body of the last one; None
    # Keep one announcement; False when there is no room.
    cdef bint put(self, int kind, const uint8_t *body, size_t size) noexcept
