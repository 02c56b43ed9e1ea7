# Half-open connections: a SYN came and was answered, and the ACK of the answer is awaited (SYN-RECEIVED of RFC 9293).
# They are structs of 120 bytes, and 24 for a node that has no other; with its ACK each becomes a connection. What no
# such struct can be had for is answered with a cookie (cookies.pxd), so none is ever given up for another.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.timers cimport Timed
from ygg_c.ip.memory cimport Memory
from ygg_c.socket.endpoint cimport Host
from ygg_c.socket.remotenode cimport RemoteNodes
from ygg_c.tcp.light cimport Light, LightTable, Line
from ygg_c.tcp.lightnodes cimport LightNodes
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.wire cimport Segment

cdef enum:
    MAX_TRIES = 16

# A listener's.
cdef struct HalfOpenList:
    size_t count
    void *listener          # Acceptor, borrowed: it ends after them

cdef struct HalfOpen:
    Light light
    HalfOpenList *list
    uint64_t sent_at        # when it was answered first, ns; 0: not known
    uint32_t objected_at    # when a segment that did not fit was answered last, ms; 0: never
    uint32_t irs            # sequence numbers of the peer's SYN and of ours
    uint32_t iss
    uint32_t ts_recent
    # of the text that came with the SYN (RFC 9293, 3.10.7.2), which is acknowledged: it stands behind this
    uint16_t size
    uint16_t mss            # as in a Segment, like the next ones
    uint16_t window
    uint16_t offered        # the window that our SYN offered
    signed char scale
    signed char own_scale   # the shift that it offered, -1: none
    uint8_t sack
    uint8_t stamped
    uint8_t ecn             # it is agreed on
    uint8_t tries           # times that the answer was repeated

# The half-open connections of a stack, by the number of their tries.
cdef class HalfOpens(Timed):
    cdef Host host                  # None while there are none
    cdef LightTable _table
    cdef LightNodes nodes
    cdef RemoteNodes _remote        # where text counts
    cdef Line _lines[16]
    cdef size_t count
    # One more; NULL without memory. `iss`: the number of our SYN, which leaves now unless it is known to have arrived,
    # `scale`: of our window, where the peer scales.
    cdef HalfOpen *add(
        self, Host host, HalfOpenList *list, bint ours, const uint8_t *key, const Segment *syn, uint32_t iss,
        int scale, bint arrived
    ) noexcept
    # Take a segment; True when it is the ACK that completes the handshake.
    cdef bint arrive(self, HalfOpen *half, const Segment *segment) noexcept
    # The SYN that made it.
    cdef void recall(self, HalfOpen *half, Segment *syn) noexcept
    cdef void remove(self, HalfOpen *half) noexcept
    cdef void reset(self, HalfOpenList *list) noexcept          # the listener closes: tell the peers
    cdef void clear(self) noexcept
    cdef void _answer(self, HalfOpen *half) noexcept
    cdef void _object(self, HalfOpen *half) noexcept
    cdef void _overdue(self, HalfOpen *half, uint64_t now) noexcept
    cdef HalfOpen *_new(self, Memory memory, const uint8_t *key, bint ours, size_t size) noexcept
    cdef void _reset(self, HalfOpen *half) noexcept
    cdef size_t _takes_text(self, bint ours, const uint8_t *key, size_t size) noexcept
    cdef void _drop_text(self, const uint8_t *key, size_t size) noexcept
    cdef void _arm(self) noexcept

# Answer a SYN with SYN,ACK.
cdef void send_syn_ack(
    Host host, TcpOptions options, const uint8_t *key, const Segment *syn, uint32_t iss, int own_scale, uint16_t window,
    bint sack, uint32_t stamp
) noexcept
