# When the next segment may leave, so that what a window has freed at once does not arrive at a queue at once.
#
# A virtual schedule (generic cell rate algorithm): `free_at` is when all that was sent would have left at the pacing
# rate. A segment may leave once that has come. What was not used until then is worth `burst` bytes at most, so what one
# ACK frees as a rule never waits.

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport MS, SECOND
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.rtt cimport Rtt

cdef extern from *:
    """
    #define YGG_LEAST_PACED (2 * YGG_MS)
    #define YGG_PACING_QUANTUM YGG_MS
    """
    const uint64_t LEAST_PACED "YGG_LEAST_PACED"            # ns: shorter round trips are within a machine or a room
    const uint64_t PACING_QUANTUM "YGG_PACING_QUANTUM"      # ns: what falls due in that time leaves together

cdef struct Pacing:
    uint64_t free_at

# Bytes/s at which segments may leave; 0: at once. `recovering`: the window is on its way to the threshold.
cdef inline uint64_t pacing_rate(Congestion control, const Rtt *rtt, bint recovering) noexcept:
    cdef uint64_t window = max(control.cwnd, control.ssthresh) if recovering else control.cwnd
    cdef uint64_t percent = 200 if control.cwnd < control.ssthresh else 120
    if control.pacing_rate:
        return control.pacing_rate
    if rtt.least < LEAST_PACED:
        return 0
    return max(window * percent * 10000 // (rtt.smoothed // 1000), <uint64_t>1)

# When a segment that may not leave now may; `now` or earlier: it may.
cdef inline uint64_t pacing_due(const Pacing *pacing, uint64_t now) noexcept nogil:
    return max(pacing.free_at, now + PACING_QUANTUM) if pacing.free_at > now else now

# Round trips may have become shorter since: what waits, waits no longer than what is under way takes at the rate of
# now.
cdef inline void pacing_shorten(Pacing *pacing, uint64_t under_way, uint64_t rate, uint64_t now) noexcept nogil:
    if pacing.free_at > now:
        pacing.free_at = min(pacing.free_at, now + under_way * SECOND // rate)

# A segment of `size` bytes left; `burst` bytes may leave at once after a pause.
cdef inline void pacing_sent(Pacing *pacing, uint64_t size, uint64_t rate, uint64_t burst, uint64_t now) noexcept nogil:
    cdef uint64_t pause = max(burst * SECOND // rate, PACING_QUANTUM)
    pacing.free_at = max(pacing.free_at, now - min(pause, now)) + size * SECOND // rate
