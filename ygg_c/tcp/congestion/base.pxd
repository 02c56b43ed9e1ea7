# Congestion control behind one interface: what the sender tells, and the figure that it obeys.
#
# The sender asks for `cwnd` (bytes believed to be in the network stay below it), and tells each thing that
# happened once. An algorithm that models the path from delivery rates, as BBR does, needs nothing else: it sets both
# figures as it likes, and may ignore `lost`. Windows are bytes, since a segment may be 64 KiB; times are ns.
#
# Terms: `in_flight` is what was sent and is neither acknowledged, SACKed nor marked lost ("pipe", RFC 6675).
# "Delivered" is acknowledged or SACKed, each byte once.

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    INITIAL_SEGMENTS = 10       # RFC 6928

cdef extern from *:
    """
    #define YGG_NO_THRESHOLD (1ULL << 62)
    """
    const uint64_t NO_THRESHOLD "YGG_NO_THRESHOLD"      # `ssthresh` before the first sign of congestion

# What one ACK told.
cdef struct Acked:
    uint64_t now
    uint64_t bytes              # newly delivered
    uint64_t in_flight          # after this ACK
    uint64_t prior_in_flight    # before it
    uint64_t rtt                # sample of the newest segment that it delivers; 0: none
    uint64_t srtt
    uint64_t least_rtt
    uint64_t sent_at            # when that segment was last sent; 0: unknown
    uint64_t una                # after this ACK
    uint64_t nxt
    uint64_t delivered          # bytes delivered on this connection, these included
    uint64_t prior_delivered    # the same when that segment was sent (rounds of BBR); 0: unknown
    uint64_t rate               # delivery rate sample, bytes/s; 0: none
    bint app_limited            # that sample was taken while the application, not the window, was the limit
    bint cwnd_limited           # the window was what kept us from sending more
    bint after_timeout          # what the retransmission timer gave up is being sent again

cdef class Congestion:
    cdef uint64_t cwnd          # congestion window
    cdef uint64_t ssthresh      # slow start threshold
    cdef uint64_t mss
    cdef uint64_t pacing_rate   # bytes/s, 0: the sender makes it of cwnd and the round trip
    cdef uint32_t initial       # segments of the first window
    cdef uint32_t most_segments     # that one ACK lets a slow start grow by ("L", RFC 3465)
    cdef bint paced             # what `cwnd` frees at once does not leave at once
    # `mss` is known, or changed by path MTU discovery, which is no sign of congestion.
    cdef void segment_size(self, uint64_t mss) noexcept
    # The first window has so many segments, or fewer where they are large: 1 when a SYN was lost (RFC 5681, 3.1).
    cdef void start(self, uint64_t segments) noexcept
    # A segment left, again or for the first time; it is in `in_flight` already.
    cdef void sent(self, uint64_t now, uint64_t size, uint64_t in_flight) noexcept
    # An ACK delivered something. Not in RECOVERY, where proportional rate reduction moves `cwnd`.
    cdef void acked(self, const Acked *ack) noexcept
    # A loss event begins, once for each window: sets `ssthresh`. The sender brings `cwnd` there. `in_flight` is as it
    # was before the ACK, or the timer, that showed the loss of `size` bytes.
    cdef void lost(self, uint64_t size, uint64_t in_flight, uint64_t now) noexcept
    # Every byte lost was repaired.
    cdef void recovered(self, uint64_t in_flight, uint64_t now) noexcept
    # The retransmission timer expired. `first`: this window has been reduced for no other loss yet.
    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept
    # The peer echoed a mark of the path (RFC 3168); told once a round trip at most.
    cdef void ecn(self, uint64_t in_flight, uint64_t now) noexcept
    # The last `lost` or `timed_out` turned out to be no loss. Told once for each.
    cdef void undone(self, uint64_t now) noexcept
    # Something is about to leave after nothing was in flight for `duration`.
    cdef void idle(self, uint64_t duration, uint64_t rto, uint64_t now) noexcept
    # Bytes that may leave at once, of an initial window or where segments are paced.
    cdef uint64_t burst(self) noexcept
    # Take the place of another algorithm in the middle of a connection.
    cdef void follow(self, Congestion other) noexcept
    # Figures of its own.
    cdef dict info(self)
    # For algorithms with a slow start: what of an ACK is left for congestion avoidance. `divisor` slows it down.
    cdef uint64_t _slow_start(self, const Acked *ack, uint64_t divisor) noexcept
    cdef uint64_t _initial_window(self) noexcept
    # What of the window was in use when a loss showed: no more than is in flight.
    cdef uint64_t _used(self, uint64_t in_flight) noexcept
