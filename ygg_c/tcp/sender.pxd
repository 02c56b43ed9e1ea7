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
# windows and the link's credit allow, then decides whether an ACK has to go by itself.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.tcp.congestion.base cimport Congestion
from ygg_c.endpoint cimport Endpoint
from ygg_c.icmpv6 cimport Bucket
from ygg_c.ranges cimport Ranges
from ygg_c.tcp.receivequeue cimport ReceiveQueue
from ygg_c.remotenode cimport RemoteNode
from ygg_c.tcp.rtt cimport Rtt
from ygg_c.tcp.sendqueue cimport SendQueue
from ygg_c.tcp.wire cimport Segment

cdef enum State:
    CLOSED = 0
    SYN_SENT
    SYN_RCVD
    ESTABLISHED
    FIN_WAIT_1
    FIN_WAIT_2
    CLOSE_WAIT
    CLOSING
    LAST_ACK
    TIME_WAIT

cdef enum Phase:
    OPEN = 0
    RECOVERY
    LOSS
    REPAIR

cdef class TcpSender(Endpoint):
    cdef State _state
    cdef uint8_t key[36]            # remote address, local address, remote port, local port: as an incoming packet has them
    cdef uint8_t template[44]       # IPv6 header and ports of what leaves
    cdef uint64_t _pseudo
    cdef RemoteNode node            # what its connections may have together; as long as this one has not left
    cdef size_t _held[2]            # bytes of memory that it was told of
    # Sending.
    cdef SendQueue out
    cdef uint64_t iss
    cdef uint64_t una               # oldest position not acknowledged
    cdef uint64_t nxt               # next position to send
    cdef uint64_t window            # bytes the peer takes from `una`
    cdef uint64_t max_window
    cdef uint64_t wl1               # position and acknowledgement of the segment that last set the window
    cdef uint64_t wl2
    cdef int send_scale
    cdef bint fin_wanted            # FIN follows out.end
    cdef bint no_delay
    cdef bint is_corked
    cdef bint starved               # the application found no room
    cdef size_t send_cap
    cdef size_t peer_mss
    cdef size_t path                # path MTU
    cdef size_t mss                 # payload of a full segment, options taken off
    cdef bint stamps                # timestamps are in use
    cdef bint sack                  # SACK is in use
    cdef int own_scale              # shift of the windows we send; -1: not in use
    cdef uint32_t stamp_offset
    cdef uint32_t ts_recent
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
    cdef bint orphan                # the application gave it up
    cdef int tries                  # timeouts and probes without an answer
    # Receiving, as far as every segment that leaves shows it.
    cdef ReceiveQueue inbound
    cdef bint fin_received
    cdef uint64_t advertised        # right edge of the window shown to the peer: never moves back
    cdef size_t receive_cap
    cdef size_t largest             # largest segment seen
    cdef bint ack_now
    cdef size_t ack_bytes           # in-order bytes not acknowledged yet
    cdef uint64_t last_acked        # the position in our latest ACK
    cdef uint64_t newest            # start of the latest out-of-order data
    cdef uint64_t _dsack[2]
    # Timers.
    cdef uint64_t rto_at            # retransmission or persist
    cdef uint64_t ack_at
    cdef uint64_t life_at           # keepalive, FIN-WAIT-2, TIME-WAIT
    cdef uint64_t progress_at       # when the peer last acknowledged something new, or had nothing to; NEVER: at the next flush
    cdef uint64_t _tell_at          # when the lower side may be told again that the path works
    cdef uint64_t user_limit
    cdef int soft_error             # what a router said since then (RFC 9293, 3.9.2.2), 0: nothing
    # Figures.
    cdef size_t retransmits
    cdef size_t timeouts
    cdef uint64_t bytes_in
    cdef uint64_t bytes_out
    cdef size_t segments_in
    cdef size_t segments_out

    cdef void fin_acknowledged(self, uint64_t now) noexcept         # overridden by the connection
    cdef uint64_t ack_position(self) noexcept
    cdef void transmit(self, uint64_t position, size_t size, uint8_t flags, uint64_t now) noexcept
    cdef bint acknowledge(self, const Segment *segment, uint64_t position, uint64_t now) noexcept
    cdef void resize(self) noexcept                                 # after `path`, `peer_mss` or `stamps` changed
    cdef void repair(self) noexcept
    cdef void arm(self) noexcept
    cdef void timeout(self, uint64_t now) noexcept
    cdef uint64_t window_edge(self) noexcept
    cdef size_t send_room(self) noexcept                            # bytes that may be queued, those that are included
    cdef void account(self) noexcept                                # after the queues or their ranges have changed
    cdef uint64_t _empty_position(self) noexcept
    cdef uint16_t _window_field(self, uint64_t ack, bint syn) noexcept
    cdef uint8_t *_sack_option(self, uint8_t *at, size_t room) noexcept
    cdef bint _send_data(self, uint64_t now) noexcept
    cdef bint _pick_new(self, uint64_t *size) noexcept
    cdef uint64_t _pipe(self) noexcept
    cdef void _take_sacks(self, const Segment *segment) noexcept
    cdef void _grow(self, uint64_t gained, const Segment *segment, uint64_t now) noexcept
    cdef void _find_loss(self, uint64_t now) noexcept
    cdef void _advance(self, uint64_t ack, const Segment *segment, uint64_t now) noexcept
    cdef void _enter(self, Phase phase) noexcept
    cdef uint32_t _stamp(self, uint64_t now) noexcept
    cdef void _sent(self, uint64_t position, uint64_t length, bint again, uint64_t now) noexcept
