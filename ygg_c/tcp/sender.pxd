# TCP's sending half. Theory of operation:
#
# Positions are 64-bit: their low 32 bits are the sequence number, so that comparisons are plain and nothing wraps.
#
#        una                          nxt          out.end
#   ──────┼──── on the scoreboard ─────┼── unsent ────┼─ FIN
#
# What was sent is on the scoreboard, a record for each segment: in flight, SACKed, or lost. Sending is allowed while
# the bytes in flight ("pipe", RFC 6675) are below the congestion window, what is lost first. An ACK
#   1. is taken by the scoreboard, which tells what it delivers
#   2. measures the round trip, by a segment that was sent once, or by timestamps
#   3. may show that the last loss event was none (recovery), or end it
#   4. may show that segments are lost (rack; without SACK duplicates, RFC 6582), which begins an event or is part of
#      one
#   5. moves the congestion window: by congestion control, in a recovery by proportional rate reduction
#
# Nothing is sent when a packet arrives or the application writes: the connection is marked, and `flush` sends all that
# the windows and the link's credit allow. Segments are the connection's: it is given to every call, and its `transmit`
# adds what the receiver has to say.
#
# What is done with this state stands elsewhere: `output` sends, `acknowledge` takes ACKs, `loss` reacts to what they
# tell, `timeouts` are the timers, `pmtud` is about the path MTU.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.clock cimport SECOND
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.ecn cimport Ecn
from ygg_c.tcp.flight cimport Flight
from ygg_c.tcp.rtt cimport Rtt
from ygg_c.tcp.sendqueue cimport SendQueue
from ygg_c.tcp.wire cimport SYN, Segment

cdef extern from *:
    """
    #define YGG_PATH_CHECK YGG_SECOND
    """
    # ns until the MTU of a path that takes less than ours is looked up again
    const uint64_t PATH_CHECK "YGG_PATH_CHECK"

# Largest first, and flags as bytes: there is one of these for each idle connection.
cdef class Sender:
    cdef SendQueue out
    cdef Congestion congestion
    cdef Flight *flight             # NULL: nothing is under way
    cdef uint64_t iss
    cdef uint64_t una               # oldest position not acknowledged
    cdef uint64_t nxt               # next position to send
    cdef uint64_t window            # bytes the peer takes from `una`
    cdef uint64_t max_window
    cdef uint64_t wl1               # position and acknowledgement of the segment that last set the window
    cdef uint64_t wl2
    cdef size_t cap                 # bytes that may be queued
    cdef uint64_t path_until        # when the path MTU is looked up again; NEVER: it is our own MTU
    cdef Ecn ecn                    # of the connection: the receiver's side too
    cdef uint64_t syn_at            # when the SYN left, if it left once; else 0
    cdef uint64_t sent_at           # when a segment left last (0: none)
    # Timers.
    cdef uint64_t timer_at          # the first of them
    cdef uint64_t rto_at            # retransmission or persist
    # when the peer last acknowledged something new, or had nothing to; NEVER: at the next flush
    cdef uint64_t progress_at
    cdef uint64_t tell_at           # when the lower side may be told again that the path works
    cdef uint64_t user_limit
    cdef Rtt rtt
    cdef uint32_t mss               # payload of a full segment, options taken off
    cdef uint32_t peer_mss
    cdef uint32_t path              # path MTU
    cdef uint32_t retransmits
    cdef uint32_t timeouts
    cdef int tries                  # timeouts and probes without an answer
    cdef int soft_error             # what a router said since the last progress (RFC 9293, 3.9.2.2), 0: nothing
    cdef uint32_t unsent_limit      # bytes of `out` that may be unsent; 0: no limit of its own
    cdef uint16_t mss_limit         # that the application has set; 0: none
    cdef uint8_t scale              # shift of the windows the peer sends
    cdef uint8_t fin_wanted         # FIN follows out.end
    cdef uint8_t no_delay
    cdef uint8_t is_corked
    cdef uint8_t starved            # the application found no room
    cdef uint8_t fixed              # the application has chosen `cap`
    cdef uint8_t resend_now         # the first retransmission of a recovery does not ask the window
    cdef uint8_t probing            # a tail loss probe is due
    cdef uint8_t rearm              # the probe's timer starts anew
    cdef uint8_t persists           # the timer ran as persist timer
    cdef uint8_t held_back          # the peer's window or the link held data back in the last flush
    cdef uint8_t window_forced      # send into a small window: the persist timer said so
    cdef uint8_t cwnd_bound
    cdef uint8_t syn_due

    cdef void open(self, uint32_t iss, size_t path, TcpEndpoint connection, uint64_t now) noexcept
    # The peer's SYN, received at `position`.
    cdef void learn_syn(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept
    # Our SYN left at `sent_at` (0: not known) and `again` times more.
    cdef void answered(self, uint64_t sent_at, int again) noexcept
    # The acknowledgement of our SYN alone, or with the peer's: the first window.
    cdef void opened(self, const Segment *segment, uint64_t position, TcpEndpoint connection) noexcept
    # Ask the peer: an old sequence number calls for an answer (RFC 9293, 3.8.4).
    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept
    # What is lost from here on, below `nxt`, is so for another reason than congestion.
    cdef void repair(self, uint64_t now) noexcept
    cdef void resize(self, TcpEndpoint connection) noexcept     # the path MTU or the peer's MSS has changed
    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept     # where a segment without data stands
    cdef size_t room(self, TcpEndpoint connection) noexcept     # bytes that may be queued, those that are included
    # Tell an application that waits for room, if no more than `most` bytes are queued and half of what may be unsent is
    # free.
    cdef void ask_for_more(self, size_t most, TcpEndpoint connection) noexcept
    cdef size_t most(self, TcpEndpoint connection) noexcept     # the same without regard to what is unsent
    cdef uint64_t unsent(self) noexcept
    cdef size_t memory(self) noexcept                           # bytes it takes
    cdef void rest(self) noexcept                               # free what nothing is in
    cdef void clear(self) noexcept                              # drop what was not acknowledged; no timer runs
    cdef inline uint64_t pipe(self) noexcept:
        if self.flight == NULL:
            return 0
        return self.flight.board.in_flight - min(self.flight.board.in_flight, self.flight.recovery.inflated)
    cdef inline uint64_t shown(self, const Segment *segment) noexcept:
        # The window of a SYN is not scaled (RFC 7323, 2.2).
        return <uint64_t>segment.window << (0 if segment.flags & SYN else self.scale)
