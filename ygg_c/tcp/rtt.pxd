# Round-trip time and the retransmission timeout (RFC 6298), in ns.
#
# Every acknowledgement of data that was sent once may give a sample. The mean deviation that counts is the largest of a
# round trip, for within one many samples are alike and would hide the one that is not; it falls by a quarter a round
# trip. What a minimum of the timeout is for, ACKs that a peer delays, comes on top of the round trip: so the variance
# term has the floor and not the sum, and the timeout never equals the round trip of a steady path.

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport MS, SECOND

cdef extern from *:
    """
    #define YGG_FIRST_RTO YGG_SECOND
    #define YGG_LOST_SYN_RTO (3 * YGG_SECOND)
    #define YGG_RTT_GRAIN 1000ULL
    #define YGG_CLOCK_GRAIN YGG_MS
    """
    const uint64_t FIRST_RTO "YGG_FIRST_RTO"
    const uint64_t LOST_SYN_RTO "YGG_LOST_SYN_RTO"
    const uint64_t RTT_GRAIN "YGG_RTT_GRAIN"        # shorter round trips are within one turn, whose clock stands still
    const uint64_t CLOCK_GRAIN "YGG_CLOCK_GRAIN"    # G of RFC 6298: that of timestamps

cdef struct Rtt:
    uint64_t smoothed           # 0: nothing measured
    uint64_t variance
    uint64_t least              # of the last samples: those of LEAST_WINDOW to twice that
    uint64_t rto                # without backoff
    int backoff                 # doublings; the next sample ends them (Karn)
    uint64_t _deviation         # mean deviation now, and the largest since `_round_at`
    uint64_t _peak
    uint64_t _round_at
    uint64_t _recent            # the least since `_recent_at`
    uint64_t _recent_at

cdef void rtt_start(Rtt *rtt) noexcept nogil
cdef void rtt_sample(Rtt *rtt, uint64_t sample, uint64_t now, uint64_t floor, uint64_t ceiling) noexcept nogil
# A SYN was lost, or its answer takes longer than the timeout: what follows must not be sent twice for it (RFC 6298,
# 5.7).
cdef void rtt_lost_syn(Rtt *rtt) noexcept nogil

# What the timeout may be where the way is a new one. Samples that an outage has lengthened are no round trips of that,
# and the timeout keeps them for long; the least of all may be one.
cdef inline uint64_t _rtt_fresh(const Rtt *rtt) noexcept nogil:
    return max(<uint64_t>FIRST_RTO, 2 * rtt.least) if rtt.least else <uint64_t>LOST_SYN_RTO

cdef inline bint rtt_is_long(const Rtt *rtt) noexcept nogil:
    return rtt.backoff > 0 or rtt.rto > _rtt_fresh(rtt)

cdef inline void rtt_shorten(Rtt *rtt) noexcept nogil:
    rtt.rto = min(rtt.rto, _rtt_fresh(rtt))
    rtt.backoff = min(rtt.backoff, 1)

cdef inline uint64_t rtt_timeout(const Rtt *rtt, uint64_t ceiling) noexcept nogil:
    return min(rtt.rto << min(rtt.backoff, 16), ceiling)
