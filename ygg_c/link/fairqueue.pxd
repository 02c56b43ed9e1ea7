# The packet queue of a link: deficit round robin over flows, new ones first, CoDel inside each (RFC 8290), and a byte
# limit that costs the flow with the most bytes.
#
# A flow is (destination key, source key), hashed into a bin; bins of one destination are neighbours, so that inventing
# sources does not multiply one's share. Packets of this node itself go to bins of their own. Who sends them is told
# when to pause, and as long as no more of them wait than that allows they are not dropped by age. Paced ones never are:
# credit shrinks with the link's rate, and their sender has stopped by then.
#
# A packet whose flow understands ECN is marked where CoDel would drop it, and already when more wait than a sender has
# credit for. It is sealed by now, so the mark is its own `ecn` only: the link that takes it from here has the
# next packet of that flow marked before it is sealed. A flow that does not heed its marks loses packets in the end.
#
# CoDel must not mistake the time that packets take for a queue: of a flow of which no more than two of its largest wait
# nothing is dropped, and the target is never below the time that two of the largest of all flows take at the link's
# rate (RFC 8289, 4.4).

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ygg_c.base.packet cimport Packet, PacketQueue

cdef enum:
    GROUPS = 64                     # of destinations
    SUBBINS = 8                     # of sources in each
    BINS = 2 * 64 * 8               # the second half holds own packets
    QUANTUM = 4096                  # bytes a flow may send per round
    QUEUE_LIMIT = 4194304           # bytes waiting, for transit and for own packets each
    OWN_LIMIT = 262144              # bytes of own packets that are not dropped by age, where nothing else is said
    MARKS_MOST = 100                # in a row, some two seconds of them, before packets are dropped after all

cdef struct Bin:
    PacketQueue packets
    int next                        # in its list; -1: the last
    bint listed                     # it is in a list: of new flows, or of old ones
    size_t largest                  # packet since then
    int64_t deficit
    uint64_t above_since            # CoDel: since when packets wait too long; 0: they do not
    uint64_t drop_at
    uint32_t drops
    bint dropping

cdef struct List:
    int first                       # -1: empty
    int last

cdef class FairQueue:
    cdef readonly size_t bytes      # waiting, own packets included
    cdef readonly size_t own_bytes
    cdef readonly size_t count
    cdef readonly uint64_t dropped  # packets
    cdef readonly uint64_t marked
    cdef Bin *_bins                 # allocated by the first packet
    cdef size_t _group_bytes[2 * 64]
    cdef List _new
    cdef List _old
    cdef size_t _largest            # packet since the queue was last empty
    cdef uint64_t _target           # ns; see CODEL_TARGET
    cdef uint64_t rate              # bytes a second that the link takes; 0: unknown
    cdef size_t credit              # bytes of own packets that wait where all senders heed it
    cdef size_t own_limit
    cdef uint64_t _salt
    # `rate`: bytes a second that the link takes.
    cdef void set_rate(self, uint64_t rate, size_t credit, size_t own_limit) noexcept
    cdef void _set_target(self) noexcept
    cdef void push(self, Packet *packet, const uint8_t *source, const uint8_t *dest, bint own, uint64_t now) noexcept
    cdef Packet *pop(self, uint64_t now) noexcept
    cdef void clear(self) noexcept
    cdef void _append(self, List *flows, int index) noexcept
    cdef void _move_first(self, List *flows, List *to) noexcept
    cdef Packet *_pop_from(self, int index, uint64_t now) noexcept
    cdef Packet *_take(self, int index) noexcept
    cdef void _drop(self, int index) noexcept
    cdef bint _signal(self, int index) noexcept
    cdef bint _is_paused(self, int index) noexcept
    cdef Packet *_pop_codel(self, int index, uint64_t now) noexcept
    cdef bint _too_long(self, Bin *bin, uint64_t now) noexcept
    cdef void _drop_fattest(self, int first_group) noexcept
