# A layer that limits packets and bytes a second, each way.
#
#   in     what is beyond the rate is dropped: it has come already, and TCP at the far side takes a loss for what it is
#   out    one that asks for credit gets no more than there are tokens for, and is told when there are some again; what
#          is sent without asking (by a device that does not ask, or ACKs) takes tokens as well, and is dropped where
#          there are none
#
# Each of the four is a token bucket (base/ratelimit.pxd). A packet passes when both of its way have what it takes.

from libc.stdint cimport uint64_t

from ygg_c.base.ratelimit cimport Tokens
from ygg_c.ip.layer cimport Layer, Way

# What may pass one way. A rate of 0: no limit.
cdef struct Limit:
    uint64_t packet_rate        # a second
    uint64_t packet_burst       # at once
    uint64_t byte_rate
    uint64_t byte_burst
    Tokens packets
    Tokens bytes
    uint64_t dropped

cdef class Limiter(Layer):
    cdef Limit _in
    cdef Limit _out
    cdef uint64_t _now              # the latest time that came by, ns
    cdef uint64_t _again_at         # when those that were refused may ask again; NEVER: none was
    cdef uint64_t _refused_link     # on the way of the link with this number; 0: of several
    cdef void _refuse(self, Way *way, size_t wanted) noexcept
