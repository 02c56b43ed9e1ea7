# TIME-WAIT: what is left of a connection that both ends have closed, so that the peer's FIN is acknowledged once more
# if our ACK was lost, and segments that are late find nothing new (RFC 9293, 3.6.1). The application's object has left
# the stack by then; it can still be read, and tells of its state.
#
# Beyond `max_time_wait` the oldest of the node that has the most goes: others do not lose theirs to one that opens and
# closes many connections.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.timers cimport Timed
from ygg_c.socket.endpoint cimport Host
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.light cimport Light, LightTable, Line
from ygg_c.tcp.lightnodes cimport LightNode, LightNodes
from ygg_c.tcp.wire cimport Segment

cdef struct TimeWait:
    Light light
    TimeWait *before        # those of its node, in a ring by when they will end
    TimeWait *after
    void *owner             # TimeWaits, which outlives it
    void *connection        # the application's, or NULL: borrowed, for it goes from here when it is freed
    uint64_t objected_at    # when a segment that did not fit was answered last, ns
    uint64_t stamped_at     # when `ts_recent` came
    uint32_t seq            # of what we would send next
    uint32_t ack
    uint32_t ts_recent
    uint16_t window         # as it stands in the header
    uint8_t stamped

cdef class TimeWaits(Timed):
    cdef Host host                  # None while there are none
    cdef LightTable _table
    cdef LightNodes nodes
    cdef Line _line
    cdef size_t count
    # Keep the place of a connection that leaves the stack now; False: no memory.
    cdef bint add(
        self, Host host, TcpEndpoint connection, uint32_t seq, uint32_t ack, uint16_t window, uint32_t stamp,
        uint64_t stamped_at
    ) noexcept
    # Take a segment; True when it is a SYN to which the place belongs now.
    cdef bint arrive(self, TimeWait *wait, const Segment *segment) noexcept
    cdef void remove(self, TimeWait *wait) noexcept
    cdef void _wait(self, TimeWait *wait, LightNode *node) noexcept
    cdef void _leave_line(self, TimeWait *wait, LightNode *node) noexcept
    cdef void _evict(self, const uint8_t *last) noexcept
    cdef void clear(self) noexcept
    cdef bint _newer(self, TimeWait *wait, const Segment *segment, bint old) noexcept
    cdef void _answer(self, TimeWait *wait) noexcept
    cdef void _object(self, TimeWait *wait) noexcept
    cdef void _arm(self) noexcept

# The application gives up, or frees, the connection that was in this place.
cdef void end_time_wait(void *remains) noexcept
cdef void forget_connection(void *remains) noexcept
