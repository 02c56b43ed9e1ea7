"""Clocks; see clock.pxd."""

# All that is asked of the system, but for what io/kernel.pxd asks. Windows' calls have not been run.
cdef extern from *:
    """
    #include <stdint.h>

    #ifdef _WIN32
    #ifndef WIN32_LEAN_AND_MEAN
    #define WIN32_LEAN_AND_MEAN
    #endif
    #include <windows.h>

    static uint64_t ygg_monotonic(void) {
        LARGE_INTEGER count, rate;
        QueryPerformanceCounter(&count);
        QueryPerformanceFrequency(&rate);
        uint64_t second = (uint64_t)rate.QuadPart, ticks = (uint64_t)count.QuadPart;
        return ticks / second * 1000000000u + ticks % second * 1000000000u / second;
    }

    static uint64_t ygg_realtime(void) {        /* which Windows counts in 100 ns since 1601 */
        FILETIME t;
        GetSystemTimePreciseAsFileTime(&t);
        return (((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - 116444736000000000u) * 100;
    }
    #else
    #include <time.h>

    static uint64_t ygg_clock(clockid_t id) {
        struct timespec t;
        clock_gettime(id, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    }

    static uint64_t ygg_monotonic(void) { return ygg_clock(CLOCK_MONOTONIC); }
    static uint64_t ygg_realtime(void) { return ygg_clock(CLOCK_REALTIME); }
    #endif
    """
    uint64_t ygg_monotonic() noexcept nogil
    uint64_t ygg_realtime() noexcept nogil


cdef class Clock:
    """The system's clocks, or ahead of them."""

    cdef uint64_t now_ns(self) noexcept:
        return ygg_monotonic() + self._ahead

    cdef uint64_t unix_ns(self) noexcept:
        return ygg_realtime() + self._ahead

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
