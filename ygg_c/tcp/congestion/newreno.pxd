# NewReno: additive increase, multiplicative decrease (RFC 5681, RFC 6582), counted in bytes (RFC 3465).

from libc.stdint cimport uint64_t

from ygg_c.tcp.congestion.base cimport Congestion

cdef class NewReno(Congestion):
    cdef uint64_t _counted          # bytes acknowledged since the window last grew by a segment
    cdef uint64_t _prior_cwnd       # before the last reduction, for `undone`; 0: it was none
    cdef uint64_t _prior_ssthresh
    cdef void _reduce(self, uint64_t in_flight) noexcept
