"""When a burst may leave. See pacing.pxd."""

from libc.stdint cimport uint64_t


cdef class Pacer:
    """The pacing of one connection by itself. Times are ns, sizes bytes, rates bytes/s."""

    cdef Pacing _pacing

    def due(self, uint64_t now):
        """Return when a segment may leave: `now`, or later."""
        return pacing_due(&self._pacing, now)

    def sent(self, uint64_t size, uint64_t rate, uint64_t burst, uint64_t now):
        """Note that one left. `burst` bytes may leave at once after a pause."""
        pacing_sent(&self._pacing, size, rate, burst, now)
