# TCP's receiving half: which segments are taken, where their data goes, and what the peer is told of it.
#
#      queue.read            queue.next                              advertised
#   ──────┼── not read yet ──────┼─ missing ─┬─ queue.ranges ─┬─ missing ─┼── beyond the window
#                                             (SACK blocks)
#
# Positions are 64-bit: their low 32 bits are the sequence number, so that comparisons are plain and nothing wraps. A
# FIN stands behind the last byte and counts one.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.clock cimport SECOND
from ygg_c.base.lru cimport Aging
from ygg_c.base.ratelimit cimport Tokens
from ygg_c.socket.endpoint cimport Host
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.receivequeue cimport ReceiveQueue
from ygg_c.tcp.wire cimport MAX_SACKS, Segment

cdef extern from *:
    """
    #define YGG_STAMP_LIFE (24 * 86400 * YGG_SECOND)
    """
    const uint64_t STAMP_LIFE "YGG_STAMP_LIFE"      # ns

# What SACK blocks are made of, besides the ranges.
cdef struct ToTell:
    uint64_t recent[MAX_SACKS]      # where data out of order came, in different blocks, the latest first; 0: none
    Aging ahead                     # the connection's place among those of its node that hold data out of order
    uint64_t dsack[2]               # a duplicate to report (RFC 2883); [1] is 0: none

# Largest first, and flags as bytes: there is one of these for each idle connection.
cdef class Receiver:
    cdef ReceiveQueue queue
    cdef uint64_t fin_at            # position of a FIN that came ahead of its data, 0: none
    cdef uint64_t advertised        # right edge of the window shown to the peer: never moves back
    cdef size_t cap                 # bytes that may be held
    cdef uint64_t ts_recent_at      # when `ts_recent` was taken
    cdef uint64_t bytes
    # What is to be acknowledged.
    cdef uint64_t ack_at            # the delayed ACK's timer
    cdef size_t ack_bytes           # in-order bytes not acknowledged yet
    cdef uint64_t last_acked        # the position in our latest ACK
    cdef ToTell *_to_tell           # NULL: there is nothing out of the ordinary
    cdef Tokens _challenges
    cdef Tokens _strays
    # Autotuning.
    cdef uint64_t _tuned_at         # since when the application's reading is measured, from where
    cdef uint64_t _tuned_from
    cdef uint64_t rtt               # the least round trip of late, ns; 0: unknown
    cdef uint64_t _rtt_low          # the least in the present span, and when that began
    cdef uint64_t _rtt_since
    cdef uint32_t largest           # largest segment seen
    cdef uint32_t _full             # a full segment's size of late
    cdef uint32_t ts_recent         # the peer's timestamp to echo
    cdef signed char scale          # shift of the windows we send; -1: not in use
    cdef uint8_t _at_once           # segments still to be acknowledged each
    cdef uint8_t fin_received
    cdef uint8_t ack_now            # at the next chance
    cdef uint8_t quick              # no ACK is delayed
    cdef uint8_t fixed              # the application has chosen `cap`
    cdef uint32_t took_at           # when data came last, ms
    cdef uint8_t _hole_filled       # `ts_recent` is of a segment that filled a hole
    cdef uint32_t _read_before      # KiB that the application read in the round trip before; 0: unknown

    cdef void open(self, Host host, TcpOptions options) noexcept
    # The peer's SYN: its data begins at `first`.
    cdef void begin(self, uint64_t first, uint32_t stamp, TcpEndpoint connection) noexcept
    cdef uint64_t ack_position(self) noexcept
    cdef uint64_t edge(self, TcpEndpoint connection) noexcept       # right edge of the window that there is room for
    # Whether a segment lies in the window and is not too old; if not, an answer is due where one belongs.
    cdef bint acceptable(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept
    # Take an acceptable segment's timestamp.
    cdef void note_stamp(self, const Segment *segment, uint64_t position, uint64_t now) noexcept
    # Take an acceptable segment's data and FIN. True when all before the FIN is there: once.
    cdef bint take(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept
    cdef void challenge(self, TcpEndpoint connection, uint64_t now) noexcept        # RFC 5961
    # Whether an ACK has to go by itself, if no segment has carried it; if not, the timer runs for it.
    cdef bint ack_due(self, Host host, uint64_t now) noexcept
    cdef void acknowledged(self, uint64_t ack) noexcept             # a segment with our ACK has left
    # The application has read. `rtt`: what the sender knows of the round trip, while we know nothing.
    cdef void was_read(self, uint64_t rtt, TcpEndpoint connection) noexcept
    cdef uint16_t window_field(self, uint64_t ack, bint syn, TcpEndpoint connection) noexcept
    cdef int sack_count(self, size_t room) noexcept                 # blocks there are to send, as many as fit
    cdef uint8_t *write_blocks(self, uint8_t *at, int count) noexcept
    cdef size_t memory(self) noexcept                               # bytes it takes
    cdef void rest(self) noexcept                                   # free what nothing is in
    cdef void clear(self) noexcept                                  # drop what was not read
    cdef Aging *ahead(self) noexcept                                # NULL: there is none
    # drop what came out of order, and tell no more of it
    cdef void renege(self) noexcept
    cdef void _measure(self, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _tune(self, uint64_t rtt, TcpEndpoint connection, uint64_t now) noexcept
    cdef uint64_t _wanted(self, uint64_t passed) noexcept
    cdef bint _has_to_tell(self) noexcept
    cdef void _report(self, uint64_t start, uint64_t end) noexcept
    cdef void _arrived_at(self, uint64_t position) noexcept
    cdef void _note_size(self, const Segment *segment) noexcept
    cdef uint32_t _lag(self, uint64_t position, uint64_t length) noexcept
    cdef void _stray(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _store(self, uint64_t position, const uint8_t *data, uint64_t end, TcpEndpoint connection) noexcept
    cdef uint64_t _fit(self, uint64_t position, uint64_t end, TcpEndpoint connection) noexcept
    cdef uint64_t _next_edge(self, uint64_t ack, int scale, TcpEndpoint connection) noexcept
    cdef uint64_t _shown(self) noexcept

# Whether a peer's timestamp is older than the one taken `age` ns ago. Of one that is more than 24 days old, nothing can
# be said: a clock of milliseconds has gone half its way round (RFC 7323, 5.5).
cdef inline bint stamp_is_old(uint32_t stamp, uint32_t recent, uint64_t age) noexcept nogil:
    return <int>(stamp - recent) < 0 and age < STAMP_LIFE
