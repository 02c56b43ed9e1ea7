"""The round-trip time's estimator; see rtt.pxd for what it does."""

cdef uint64_t LEAST_WINDOW = 15 * SECOND


cdef void rtt_start(Rtt *rtt) noexcept nogil:
    rtt.rto = FIRST_RTO


cdef void _first(Rtt *rtt, uint64_t sample, uint64_t now) noexcept nogil:
    rtt.smoothed = rtt.least = rtt._recent = sample
    rtt.variance = rtt._deviation = rtt._peak = sample // 2
    rtt._round_at = rtt._recent_at = now


cdef void _smooth(Rtt *rtt, uint64_t sample) noexcept nogil:
    cdef bint falls = sample < rtt.smoothed
    cdef uint64_t error = rtt.smoothed - sample if falls else sample - rtt.smoothed
    if error < rtt._deviation:
        rtt._deviation -= (rtt._deviation - error) // 4
    else:
        # A round trip that became much shorter is no reason to wait longer.
        rtt._deviation += (error - rtt._deviation) // (32 if falls else 4)
    rtt.smoothed += sample // 8 - rtt.smoothed // 8


cdef void _follow_deviation(Rtt *rtt, uint64_t now) noexcept nogil:
    rtt._peak = max(rtt._peak, rtt._deviation)
    rtt.variance = max(rtt.variance, rtt._peak)
    if now - rtt._round_at >= rtt.smoothed:
        rtt.variance -= (rtt.variance - rtt._peak) // 4
        rtt._peak = rtt._deviation
        rtt._round_at = now


cdef void _follow_least(Rtt *rtt, uint64_t sample, uint64_t now) noexcept nogil:
    if now - rtt._recent_at >= LEAST_WINDOW:
        # The path may have changed in a long silence; or that was an outage, which has lengthened the sample.
        rtt.least = rtt._recent if now - rtt._recent_at < 2 * LEAST_WINDOW else min(sample, 4 * rtt._recent)
        rtt._recent = sample
        rtt._recent_at = now
    rtt._recent = min(rtt._recent, sample)
    rtt.least = min(rtt.least, sample)


cdef void rtt_sample(Rtt *rtt, uint64_t sample, uint64_t now, uint64_t floor, uint64_t ceiling) noexcept nogil:
    sample = max(sample, RTT_GRAIN)
    if rtt.smoothed == 0:
        _first(rtt, sample, now)
    else:
        _smooth(rtt, sample)
        _follow_deviation(rtt, now)
        _follow_least(rtt, sample, now)
    rtt.rto = min(rtt.smoothed + max(max(4 * rtt.variance, floor), CLOCK_GRAIN), ceiling)
    rtt.backoff = 0


cdef void rtt_lost_syn(Rtt *rtt) noexcept nogil:
    rtt.rto = max(rtt.rto, LOST_SYN_RTO)
    rtt.backoff = 0
