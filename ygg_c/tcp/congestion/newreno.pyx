"""NewReno congestion control."""

from ygg_c.tcp.congestion.base cimport Acked

cdef enum:
    LOSS_PERCENT = 50       # of the window remain after a loss
    ECN_PERCENT = 80        # and after a mark in congestion avoidance (RFC 8511)


cdef class NewReno(Congestion):
    """Half the window for each loss, a segment more for each round trip without one (RFC 5681, RFC 6582, RFC 3465)."""

    name = "newreno"

    cdef void acked(self, const Acked *ack) noexcept:
        cdef uint64_t rest
        if not ack.cwnd_limited:
            return
        rest = self._slow_start(ack, 1)
        if rest == 0:
            return
        self._counted = min(self._counted + rest, 2 * self.cwnd)
        if self._counted >= self.cwnd:
            self._counted -= self.cwnd
            self.cwnd += self.mss

    cdef void lost(self, uint64_t size, uint64_t in_flight, uint64_t now) noexcept:
        self._reduce(in_flight)

    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept:
        if first:
            self._reduce(in_flight)
        self.cwnd = self.mss

    cdef void ecn(self, uint64_t in_flight, uint64_t now) noexcept:
        cdef int percent = LOSS_PERCENT if self.cwnd < self.ssthresh else ECN_PERCENT
        self._prior_cwnd = self._counted = 0
        self.ssthresh = max(min(in_flight, self.cwnd) * percent // 100, 2 * self.mss)
        self.cwnd = min(self.cwnd, self.ssthresh)

    cdef void undone(self, uint64_t now) noexcept:
        if self._prior_cwnd:
            self.cwnd = max(self.cwnd, self._prior_cwnd)
            self.ssthresh = self._prior_ssthresh
            self._prior_cwnd = 0

    cdef void _reduce(self, uint64_t in_flight) noexcept:
        self._prior_cwnd, self._prior_ssthresh = self.cwnd, self.ssthresh
        self.ssthresh = max(self._used(in_flight) // 2, 2 * self.mss)
        self._counted = 0
