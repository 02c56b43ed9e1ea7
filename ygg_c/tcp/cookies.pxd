# SYN cookies: what a listener must remember of a SYN, in the sequence number of its answer, so that a flood of SYNs
# needs no memory (Bernstein, 1996; RFC 4987, 3.6).
#
#   31    30 29   27 26                        0
#  ├ epoch ─┼─ MSS ─┼─ keyed hash of all else ──┤      an epoch is 69 s; a cookie holds in its own and in the next
#
# Window scale, SACK and ECN go into the low bits of the answer's timestamp, which the peer echoes. Without timestamps a
# connection has none of them.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.tcp.wire cimport Segment

cdef enum:
    STAMP_BITS = 6

cdef extern from *:
    """
    #define YGG_COOKIE_LIFE (2ULL << 36)
    """
    const uint64_t COOKIE_LIFE "YGG_COOKIE_LIFE"        # ns that one may hold at most

# The initial sequence number of the answer to `syn`.
cdef uint32_t make_cookie(const uint64_t *secret, const uint8_t *key, const Segment *syn, uint64_t now) noexcept nogil
# A timestamp not after `stamp` that remembers the options of `syn`.
cdef uint32_t cookie_stamp(uint32_t stamp, const Segment *syn) noexcept nogil
# Read what `segment` gives back into `syn`, as it was as far as it was remembered; False when it holds no cookie of
# ours.
cdef bint read_cookie(
    const uint64_t *secret, const uint8_t *key, const Segment *segment, uint64_t now, Segment *syn
) noexcept nogil
