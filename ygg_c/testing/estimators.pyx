"""The estimator of round-trip times by itself, for tests."""

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport MS, SECOND
from ygg_c.tcp.rtt cimport Rtt, rtt_lost_syn, rtt_sample, rtt_start, rtt_timeout


cdef class RttEstimator:
    """The estimator of one connection by itself."""

    cdef Rtt _rtt

    def __cinit__(self):
        rtt_start(&self._rtt)

    def sample(self, uint64_t value, uint64_t now, uint64_t floor=200 * MS, uint64_t ceiling=60 * SECOND):
        """Take a sample of `value` ns at `now`."""
        rtt_sample(&self._rtt, value, now, floor, ceiling)

    def back_off(self):
        """Double the timeout."""
        self._rtt.backoff += 1

    def lost_syn(self):
        """Note that the handshake took more than one SYN."""
        rtt_lost_syn(&self._rtt)

    def timeout(self, uint64_t ceiling=60 * SECOND):
        """Return the timeout with its backoff."""
        return rtt_timeout(&self._rtt, ceiling)

    @property
    def smoothed(self):
        return self._rtt.smoothed

    @property
    def variance(self):
        return self._rtt.variance

    @property
    def least(self):
        return self._rtt.least
