# The packet queue of a link: deficit round robin over flows, CoDel inside each, and a byte limit that costs the fattest.
#
# A flow is (destination key, source key), hashed into a bin; bins of one destination are neighbours, so that inventing
# sources does not multiply one's share. Packets of this node itself go to bins of their own. Who sends them is told when to
# pause, and as long as no more of them wait than that allows they are not dropped by age.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ygg_c.buffer cimport Packet, PacketQueue

cdef enum:
    GROUPS = 64                     # of destinations
    SUBBINS = 8                     # of sources in each
    BINS = 2 * 64 * 8               # the second half holds own packets
    QUANTUM = 16384                 # bytes a flow may send per round
    QUEUE_LIMIT = 4194304           # bytes waiting, for transit and for own packets each
    CODEL_TARGET = 10000000         # ns a packet may wait while the queue is bad
    CODEL_INTERVAL = 100000000      # ns the wait must stay above it before the first drop

cdef struct Bin:
    PacketQueue packets
    int next                        # in the ring of bins with packets; -1: not in it
    int64_t deficit
    uint64_t above_since            # CoDel: since when packets wait too long; 0: they do not
    uint64_t drop_at
    uint32_t drops
    bint dropping

cdef class FairQueue:
    cdef readonly size_t bytes      # waiting, own packets included
    cdef readonly size_t own_bytes
    cdef readonly size_t count
    cdef readonly uint64_t dropped  # packets
    cdef Bin *_bins                 # allocated by the first packet
    cdef size_t _group_bytes[2 * 64]
    cdef int _last                  # tail of the ring; -1: empty
    cdef uint64_t _salt
    cdef void push(self, Packet *packet, const uint8_t *source, const uint8_t *dest, bint own, uint64_t now) noexcept
    cdef Packet *pop(self, uint64_t now) noexcept
    cdef void clear(self) noexcept
    cdef void _enter_ring(self, int index) noexcept
    cdef void _leave_ring(self, int head) noexcept
    cdef Packet *_take(self, int index) noexcept
    cdef void _drop(self, int index) noexcept
    cdef Packet *_pop_codel(self, int index, uint64_t now) noexcept
    cdef bint _too_long(self, Bin *bin, uint64_t now) noexcept
    cdef void _drop_fattest(self, int first_group) noexcept
