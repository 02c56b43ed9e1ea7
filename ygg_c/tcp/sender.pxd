# TCP's sending half. Theory of operation:
#
# Positions are 64-bit: their low 32 bits are the sequence number, so that comparisons are plain and nothing wraps.
#
#        una                retransmitted      lost_edge              nxt          out.end
#   ──────┼──── gaps resent ─────┼── gaps lost ────┼──── in flight ────┼── unsent ────┼─ FIN
#
# `sacked` are the ranges the peer holds beyond `una`. All that is not sacked below `lost_edge` counts as lost, and of that
# all below `retransmitted` was sent again. So the bytes believed to be in the network ("pipe", RFC 6675) are
# nxt - una, less what is sacked, less the gaps between `retransmitted` and `lost_edge`; sending is allowed while pipe is
# below the congestion window, gaps first. Each way of learning of a loss only moves `lost_edge`:
#   three duplicates or SACKs  → RECOVERY, up to what they prove lost; without SACK segment by segment (RFC 6582)
#   the retransmission timer   → LOSS, everything
#   a smaller path MTU, or a window reopened after it shrank → REPAIR, everything, and congestion control is not told
# A phase ends when `una` reaches `recover`, the `nxt` at its start.
#
# Nothing is sent when a packet arrives or the application writes: the connection is marked, and `flush` sends all that the
# windows and the link's credit allow. Segments are the connection's: it is given to every call, and its `transmit` adds what
# the receiver has to say.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.ranges cimport Ranges
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.rtt cimport Rtt
from ygg_c.tcp.sendqueue cimport SendQueue
from ygg_c.tcp.wire cimport Segment

cdef enum Phase:
    OPEN = 0
    RECOVERY
    LOSS
    REPAIR

cdef class Sender:
    cdef SendQueue out
    cdef uint64_t iss
    cdef uint64_t una               # oldest position not acknowledged
    cdef uint64_t nxt               # next position to send
    cdef uint64_t window            # bytes the peer takes from `una`
    cdef uint64_t max_window
    cdef uint64_t wl1               # position and acknowledgement of the segment that last set the window
    cdef uint64_t wl2
    cdef int scale                  # shift of the windows the peer sends
    cdef bint fin_wanted            # FIN follows out.end
    cdef bint no_delay
    cdef bint is_corked
    cdef bint starved               # the application found no room
    cdef size_t cap                 # bytes that may be queued
    cdef size_t peer_mss
    cdef size_t path                # path MTU
    cdef uint64_t _path_until       # when it is looked up again; NEVER: it is our own MTU
    cdef size_t mss                 # payload of a full segment, options taken off
    cdef Congestion congestion
    cdef Rtt rtt
    cdef uint64_t _timed            # the position whose ACK is a sample, and when it left (0: none)
    cdef uint64_t _timed_at
    cdef uint64_t _sent_at          # when data last left, 0: never
    # Loss.
    cdef Phase phase
    cdef Ranges sacked
    cdef uint64_t lost_edge
    cdef uint64_t retransmitted
    cdef uint64_t recover
    cdef int duplicates
    cdef uint64_t _inflated         # without SACK: bytes that duplicate ACKs say have left the network
    cdef bint _resend_now           # the first retransmission of a recovery does not ask the window
    cdef bint _undoable
    cdef uint64_t _resend_stamp     # 1 << 32 | timestamp of the phase's first retransmission (RFC 3522), 0: none yet
    cdef bint _held_back            # the peer's window or the link held data back in the last flush
    cdef bint _window_forced        # send into a small window: the persist timer said so
    cdef bint _cwnd_bound
    cdef bint syn_due
    cdef int tries                  # timeouts and probes without an answer
    # Timers.
    cdef uint64_t timer_at          # retransmission or persist
    cdef uint64_t progress_at       # when the peer last acknowledged something new, or had nothing to; NEVER: at the next flush
    cdef uint64_t _tell_at          # when the lower side may be told again that the path works
    cdef uint64_t user_limit
    cdef int soft_error             # what a router said since then (RFC 9293, 3.9.2.2), 0: nothing
    # Figures.
    cdef size_t retransmits
    cdef size_t timeouts

    cdef void open(self, uint32_t iss, size_t path, TcpEndpoint connection, uint64_t now) noexcept
    # The peer's SYN, received at `position`.
    cdef void learn_syn(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept
    # Our SYN left at `sent_at` (0: not known) and `again` times more.
    cdef void answered(self, uint64_t sent_at, int again) noexcept
    # The acknowledgement of our SYN alone, or with the peer's: the first window.
    cdef void opened(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept
    # Send what may leave now; True when more could follow and others should have their turn first.
    cdef bint flush(self, TcpEndpoint connection, uint64_t now) noexcept
    # Take the ACK of an acceptable segment; False when it acknowledges what was never sent.
    cdef bint acknowledge(self, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now) noexcept
    cdef void advance(self, uint64_t ack, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept
    # `timer_at` has come.
    cdef void timeout(self, TcpEndpoint connection, uint64_t now) noexcept
    # A smaller path MTU.
    cdef void path_shrunk(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept
    # Ask the peer: an old sequence number calls for an answer (RFC 9293, 3.8.4).
    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept
    # The same of a peer that may have forgotten the connection, by what is in flight. False: nothing is.
    cdef bint hasten(self, uint64_t now) noexcept
    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept     # where a segment without data stands
    cdef size_t room(self, TcpEndpoint connection) noexcept     # bytes that may be queued, those that are included
    cdef size_t memory(self) noexcept                           # bytes it takes
    cdef void clear(self) noexcept                              # drop what was not acknowledged
    cdef void _take_path(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _resize(self, TcpEndpoint connection) noexcept
    cdef void _repair(self) noexcept
    cdef bint _flush_syn(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef bint _pick_new(self, uint64_t *size, uint64_t full) noexcept
    cdef uint64_t _pipe(self) noexcept
    cdef void _take_sacks(self, const Segment *segment) noexcept
    cdef void _grow(self, uint64_t gained, const Segment *segment, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _find_loss(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _enter(self, Phase phase) noexcept
    cdef void _sent(self, uint64_t position, uint64_t length, bint again, TcpEndpoint connection, uint64_t now) noexcept
