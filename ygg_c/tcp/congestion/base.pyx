"""Congestion control: the interface and NewReno."""

cdef enum:
    INITIAL_SEGMENTS = 10
    INITIAL_BYTES = 14600


cdef class Congestion:
    """Keeps a window that never closes below one segment. The base class is NewReno (RFC 5681, RFC 6582, RFC 3465)."""

    name = "newreno"

    def __cinit__(self):
        self.ssthresh = <uint64_t>1 << 62

    cdef void segment_size(self, uint64_t mss) noexcept:
        if self.mss == 0:
            # RFC 6928: ten segments, but no more than 14600 bytes or two segments.
            self.cwnd = min(INITIAL_SEGMENTS * mss, max(2 * mss, <uint64_t>INITIAL_BYTES))
        self.mss = mss
        self.cwnd = max(self.cwnd, mss)

    cdef void acked(self, uint64_t acked, bint limited, uint64_t rtt, uint64_t now) noexcept:
        if not limited:
            return
        if self.cwnd < self.ssthresh:
            self.cwnd += acked
        else:
            self.cwnd += max(self.mss * min(acked, self.cwnd) // self.cwnd, <uint64_t>1)

    cdef void lost(self, uint64_t in_flight, uint64_t now) noexcept:
        self._save()
        self.ssthresh = max(in_flight // 2, 2 * self.mss)
        self.cwnd = self.ssthresh

    cdef void recovered(self, uint64_t in_flight, uint64_t now) noexcept:
        self.cwnd = min(self.ssthresh, max(in_flight, self.mss) + self.mss)

    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept:
        if first:
            self._save()
            self.ssthresh = max(in_flight // 2, 2 * self.mss)
        self.cwnd = self.mss

    cdef void undo(self) noexcept:
        self.cwnd = max(self.cwnd, self._saved_cwnd)
        self.ssthresh = max(self.ssthresh, self._saved_ssthresh)

    cdef void _save(self) noexcept:
        self._saved_cwnd = self.cwnd
        self._saved_ssthresh = self.ssthresh


_ALGORITHMS = {"newreno": Congestion}


cdef Congestion make_congestion(str name):
    return _ALGORITHMS[name]()


def algorithms():
    """Return the names that `NetStack.congestion` takes."""
    return sorted(_ALGORITHMS)
