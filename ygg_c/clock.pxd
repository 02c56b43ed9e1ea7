# What time it is. An engine is given one clock; the pumps, which begin its turns, and the event loop's side ask the
# same.

from libc.stdint cimport uint64_t

# The system's clocks, or ahead of them.
cdef class Clock:
    cdef uint64_t _ahead                        # ns
    cdef uint64_t now_ns(self) noexcept         # of a clock that never goes backwards
    cdef uint64_t unix_ns(self) noexcept        # since the epoch; it may be set, back as well

# One that stands still until it is moved.
cdef class VirtualClock(Clock):
    cdef uint64_t _epoch                        # unix time of its beginning, ns
