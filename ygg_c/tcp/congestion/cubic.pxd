# CUBIC (RFC 9438): after a loss the window climbs along a cubic curve, steep at first, flat near where the loss was,
# steep again beyond. The curve depends on time and not on the round trip.
#
#   cwnd │                            ╱      W(t) = C·(t - K)³ + W_max
#        │  W_max ┄┄┄┄┄┄┄┄┄┄ _____ ╱
#        │               ╱           ↑ t = K
#        │ W_max·β ┄ ╱
#        └──────────────────────────── t
#
# Where NewReno would have climbed higher by now (short round trips, small windows), `estimate` is what it would have,
# and the window follows that.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.tcp.congestion.base cimport Acked, Congestion
from ygg_c.tcp.congestion.hystart cimport HyStart

# The windows are bytes, fractions included.
cdef struct Curve:
    uint64_t epoch              # when this congestion avoidance began; 0: with the next ACK
    double peak                 # W_max
    double k                    # s from the epoch until the curve reaches W_max
    double prior                # cwnd when the last reduction came
    double estimate             # W_est

# How things stood before the last reduction.
cdef struct Before:
    uint64_t cwnd
    uint64_t ssthresh
    Curve curve

cdef union Past:
    HyStart slow_start          # until something was lost
    Before before               # from then on

cdef class Cubic(Congestion):
    cdef Curve _curve
    cdef Past _past
    cdef double _part           # of a byte that the window has grown
    cdef uint64_t _seen         # the last ACK in congestion avoidance
    cdef uint8_t _undoable      # what `_past.before` holds may be restored
    cdef uint8_t _timed_out     # the next epoch is the first after a timeout
    cdef void _avoid(self, const Acked *ack, uint64_t size) noexcept
    cdef void _begin(self, uint64_t now) noexcept
    cdef void _reduce(self, uint64_t in_flight, double keep) noexcept
    cdef double _at(self, double seconds) noexcept
