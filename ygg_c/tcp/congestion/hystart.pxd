# HyStart++ (RFC 9406): a slow start that ends when round trips grow, before the queue overflows.
#
# When the least round trip of a round (a window's worth of ACKs) exceeds that of the round before by an eighth, slow
# start becomes "conservative slow start" (CSS), a quarter as fast. Round trips that fall again show that it was jitter:
# slow start goes on. Otherwise congestion avoidance follows after five rounds.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.tcp.congestion.base cimport Acked

cdef enum:
    CSS_DIVISOR = 4

cdef struct HyStart:
    uint64_t round_end          # the round lasts until this is acknowledged; 0: none has begun
    uint64_t last_least         # least round trip of the round before, ns; 0: none
    uint64_t least              # of this one
    uint64_t baseline           # in CSS: `least` when it began; 0: not in CSS
    uint32_t samples            # of this round
    uint32_t css_rounds         # finished in CSS

# What an ACK in slow start means: divide growth by 1 (slow start) or CSS_DIVISOR; 0: slow start is over.
cdef uint64_t hystart_acked(HyStart *state, const Acked *ack) noexcept
