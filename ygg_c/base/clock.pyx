"""Clocks; see clock.pxd."""

cdef extern from *:
    """
    #include <time.h>

    static uint64_t ygg_clock(clockid_t id) {
        struct timespec t;
        clock_gettime(id, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    }
    """
    int CLOCK_MONOTONIC
    int CLOCK_REALTIME
    uint64_t ygg_clock(int which) noexcept nogil


cdef class Clock:
    """The system's clocks, or ahead of them."""

    cdef uint64_t now_ns(self) noexcept:
        return ygg_clock(CLOCK_MONOTONIC) + self._ahead

    cdef uint64_t unix_ns(self) noexcept:
        return ygg_clock(CLOCK_REALTIME) + self._ahead

    def now(self):
        """Return the time of a clock that never goes backwards, in ns."""
        return self.now_ns()

    def unix(self):
        """Return the time since the epoch, in ns."""
        return self.unix_ns()

    def advance(self, uint64_t duration):
        """Move the clock on by `duration` ns."""
        self._ahead += duration


cdef class VirtualClock(Clock):
    """A clock that moves by `advance` alone."""

    def __init__(self, uint64_t epoch=1_700_000_000_000_000_000):
        self._epoch = epoch

    cdef uint64_t now_ns(self) noexcept:
        return self._ahead

    cdef uint64_t unix_ns(self) noexcept:
        return self._epoch + self._ahead
