# TCP's sending half. Theory of operation:
#
# Positions are 64-bit: their low 32 bits are the sequence number, so that comparisons are plain and nothing wraps.
#
#        una                          nxt          out.end
#   ──────┼──── on the scoreboard ─────┼── unsent ────┼─ FIN
#
# What was sent is on the scoreboard, a record for each segment: in flight, SACKed, or lost. Sending is allowed while the
# bytes in flight ("pipe", RFC 6675) are below the congestion window, what is lost first. An ACK
#   1. is taken by the scoreboard, which tells what it delivers
#   2. measures the round trip, by a segment that was sent once, or by timestamps
#   3. may show that the last loss event was none (recovery), or end it
#   4. may show that segments are lost (rack; without SACK duplicates, RFC 6582), which begins an event or is part of one
#   5. moves the congestion window: by congestion control, in a recovery by proportional rate reduction
#
# Nothing is sent when a packet arrives or the application writes: the connection is marked, and `flush` sends all that the
# windows and the link's credit allow. Segments are the connection's: it is given to every call, and its `transmit` adds what
# the receiver has to say.

from libc.stdint cimport uint32_t, uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.tcp.pathsearch cimport PathSearch
from ygg_c.tcp.rack cimport Rack
from ygg_c.tcp.recovery cimport Recovery
from ygg_c.tcp.rtt cimport Rtt
from ygg_c.tcp.scoreboard cimport Delivery, Scoreboard, Sent
from ygg_c.tcp.sendqueue cimport SendQueue
from ygg_c.tcp.wire cimport Segment

cdef enum Next:                     # what leaves next
    NOTHING = 0
    NEW
    AGAIN

# What an ACK brought, beside what it delivered.
cdef struct Arrived:
    uint64_t ack
    bint advances
    bint repeats                    # it is a pure duplicate
    bint stamped                    # with a timestamp that counts:
    uint32_t echo
    uint64_t duplicate              # the range of a DSACK; end 0: none
    uint64_t duplicate_end
    uint64_t prior                  # in flight before it

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
    cdef Scoreboard board
    cdef Rack rack
    cdef PathSearch search
    cdef Recovery recovery
    cdef uint64_t _syn_at           # when the SYN left, if it left once; else 0
    cdef uint64_t _sent_at          # when a segment left last (0: none)
    # For samples of the delivery rate: bytes delivered, when, and when the last segment delivered had left. `_limited`: what
    # `_delivered` has to reach before the application is the limit no more.
    cdef uint64_t _delivered
    cdef uint64_t _delivered_at
    cdef uint64_t _flight_at
    cdef uint64_t _limited
    cdef uint64_t _repaired         # what is lost below is so by no loss
    cdef bint _resend_now           # the first retransmission of a recovery does not ask the window
    cdef bint _probing              # a tail loss probe is due
    cdef bint _rearm                # the probe's timer starts anew
    cdef bint _persists             # the timer ran as persist timer
    cdef bint _held_back            # the peer's window or the link held data back in the last flush
    cdef bint _window_forced        # send into a small window: the persist timer said so
    cdef bint _cwnd_bound
    cdef bint syn_due
    cdef int tries                  # timeouts and probes without an answer
    # Timers.
    cdef uint64_t timer_at          # the first of them
    cdef uint64_t rto_at            # retransmission or persist
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
    # The path takes no packet larger than `mtu`.
    cdef void path_told(self, size_t mtu, TcpEndpoint connection, uint64_t now) noexcept
    # Ask the peer: an old sequence number calls for an answer (RFC 9293, 3.8.4).
    cdef void probe(self, TcpEndpoint connection, uint64_t now) noexcept
    # The same of a peer that may have forgotten the connection, by what is in flight. False: nothing is.
    cdef bint hasten(self, uint64_t now) noexcept
    cdef uint64_t empty_position(self, TcpEndpoint connection) noexcept     # where a segment without data stands
    cdef size_t room(self, TcpEndpoint connection) noexcept     # bytes that may be queued, those that are included
    cdef size_t memory(self) noexcept                           # bytes it takes
    cdef void clear(self) noexcept                              # drop what was not acknowledged; no timer runs
    cdef uint64_t pipe(self) noexcept
    # Sizes.
    cdef void _take_path(self, size_t path, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _resize(self, TcpEndpoint connection) noexcept
    cdef void _repair(self, uint64_t now) noexcept
    # The path MTU, searched for.
    cdef void _look_at_path(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef uint64_t _search_size(self, uint64_t full, TcpEndpoint connection) noexcept
    cdef void _vanished(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _search_answered(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef uint64_t _search_lost(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _divide(self, TcpEndpoint connection, uint64_t now) noexcept
    # Output.
    cdef bint _flush_syn(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef bint _flush_data(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef Next _pick(self, uint32_t *number, uint64_t *size, uint64_t full, TcpEndpoint connection) noexcept
    cdef Next _pick_new(self, uint64_t *size, uint64_t full) noexcept
    cdef Next _pick_probe(self, uint32_t *number, uint64_t *size, uint64_t full) noexcept
    cdef uint64_t _data_size(self, uint32_t number) noexcept
    cdef void _begin_flight(self, uint64_t now) noexcept
    cdef void _send(self, Next next, uint32_t number, uint64_t size, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _sent_new(self, uint64_t length, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _sent_again(self, uint32_t number, TcpEndpoint connection, uint64_t now) noexcept
    # Acknowledgements.
    cdef uint64_t _shown(self, const Segment *segment) noexcept
    cdef bint _take_window(self, const Segment *segment, uint64_t ack, uint64_t position, TcpEndpoint connection) noexcept
    cdef void _arrive(self, const Segment *segment, Arrived *arrived, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _take_sacks(self, const Segment *segment, Arrived *arrived, Delivery *delivery) noexcept
    cdef void _measure(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _advanced(self, uint64_t ack, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _released(self, TcpEndpoint connection) noexcept
    # Loss.
    cdef void _react(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept
    cdef bint _was_none(self, const Arrived *arrived, const Delivery *delivery, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _undo(self, uint64_t now) noexcept
    cdef void _probe_answered(self, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept
    cdef void _begin_event(self, uint64_t lost, uint64_t prior, uint64_t now) noexcept
    cdef void _end_event(self, uint64_t now) noexcept
    cdef uint64_t _find_loss(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef uint64_t _detect(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef uint64_t _count_duplicates(self, const Arrived *arrived, uint64_t gained) noexcept
    cdef void _reduce(self, uint64_t size, bint safe) noexcept
    cdef void _grow(self, const Arrived *arrived, const Delivery *delivery, uint64_t now) noexcept
    cdef uint64_t _rate(self, const Sent *newest, uint64_t now) noexcept
    # Timers.
    cdef void _set_timer(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef bint _waits(self) noexcept
    cdef uint64_t _probe_time(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _reordering_over(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _retransmission_timeout(self, TcpEndpoint connection, uint64_t now) noexcept
    cdef void _lose_flight(self, TcpEndpoint connection, uint64_t now) noexcept
