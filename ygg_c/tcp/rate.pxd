# Samples of the delivery rate: how fast the path has delivered lately (draft-cheng-iccrg-delivery-rate-estimation).
#
#   sent        P₀ ─────── P ── P₀: the segment delivered last when P was sent
#   delivered      ─ P₀ ─────────────── P
#
# A sample is what was delivered between the two lower marks, over the longer of both times: ACKs that come all at once would
# make it too large, and a pause of the sender too. While the application has nothing to send, it is a lower bound only.

from libc.stdint cimport uint64_t

from ygg_c.tcp.scoreboard cimport LIMITED, Sent

cdef struct Rate:
    uint64_t delivered          # bytes
    uint64_t delivered_at       # ns: when the last of them was
    uint64_t flight_at          # when the segment that was delivered last had been sent
    uint64_t limited            # until `delivered` is beyond this the application is the limit; 0: it is not

cdef struct RateSample:
    uint64_t rate               # bytes/s; 0: none
    uint64_t prior_delivered    # `delivered` when the segment was sent; 0: unknown
    bint limited

# A segment is sent; `in_flight` is what was before it.
cdef inline void rate_sent(Rate *rate, Sent *record, uint64_t in_flight, uint64_t now) noexcept nogil:
    if in_flight == 0:
        rate.delivered_at = rate.flight_at = now
    record.delivered, record.delivered_at, record.flight_at = rate.delivered, rate.delivered_at, rate.flight_at
    record.flags = (record.flags & ~LIMITED) | (LIMITED if rate.limited else 0)

# The application has nothing more to send, though a window would let it.
cdef inline void rate_limit(Rate *rate, uint64_t in_flight) noexcept nogil:
    rate.limited = max(rate.delivered + in_flight, <uint64_t>1)

# An ACK delivered `size` bytes, among them `newest`, the segment that was sent last.
cdef RateSample rate_delivered(
    Rate *rate, const Sent *newest, uint64_t size, uint64_t least_rtt, uint64_t now) noexcept nogil
