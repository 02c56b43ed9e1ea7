# What time it is. An engine is given one clock; the pumps, which begin its turns, and the event loop's side ask the
# same.

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #define YGG_NEVER UINT64_MAX
    #define YGG_MS 1000000ULL
    #define YGG_SECOND 1000000000ULL
    """
    const uint64_t NEVER "YGG_NEVER"            # a deadline that does not come
    const uint64_t MS "YGG_MS"                  # ns
    const uint64_t SECOND "YGG_SECOND"          # ns

# The system's clocks, or ahead of them.
cdef class Clock:
    cdef uint64_t _ahead                        # ns
    cdef uint64_t now_ns(self) noexcept         # of a clock that never goes backwards
    cdef uint64_t unix_ns(self) noexcept        # since the epoch; it may be set, back as well

# One that stands still until it is moved.
cdef class VirtualClock(Clock):
    cdef uint64_t _epoch                        # unix time of its beginning, ns
