# Round-trip time and the retransmission timeout (RFC 6298), in ns.

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #define YGG_FIRST_RTO 1000000000ULL
    #define YGG_RTT_GRAIN 1000ULL
    """
    const uint64_t FIRST_RTO "YGG_FIRST_RTO"
    const uint64_t RTT_GRAIN "YGG_RTT_GRAIN"    # shorter round trips are within one turn, whose clock stands still

cdef struct Rtt:
    uint64_t smoothed           # 0: nothing measured
    uint64_t variance
    uint64_t least
    uint64_t rto                # without backoff
    int backoff                 # doublings

cdef inline void rtt_sample(Rtt *rtt, uint64_t sample, uint64_t floor, uint64_t ceiling) noexcept nogil:
    cdef uint64_t error
    sample = max(sample, RTT_GRAIN)
    if rtt.smoothed == 0:
        rtt.smoothed = sample
        rtt.variance = sample // 2
        rtt.least = sample
    else:
        error = rtt.smoothed - sample if rtt.smoothed > sample else sample - rtt.smoothed
        rtt.variance += error // 4 - rtt.variance // 4
        rtt.smoothed += sample // 8 - rtt.smoothed // 8
        rtt.least = min(rtt.least, sample)
    rtt.rto = min(max(rtt.smoothed + 4 * rtt.variance, floor), ceiling)

cdef inline uint64_t rtt_timeout(const Rtt *rtt, uint64_t ceiling) noexcept nogil:
    cdef int shift = min(rtt.backoff, 16)
    return min(rtt.rto << shift, ceiling)
