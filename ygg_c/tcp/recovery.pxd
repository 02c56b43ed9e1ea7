# The recovery from one loss event: its phases, how much may leave meanwhile, and whether it was none.
#
#   OPEN ──── a segment is lost ────→ RECOVERY ── `una` reaches `recover` ──→ OPEN
#     ├────── the timer expires ────→ LOSS ────── `una` reaches `recover` ──→ OPEN
#     └─ the path takes less, or the peer's window reopens → REPAIR ─── the same ──→ OPEN (congestion control is not
#     told)
#
# `recover` is `nxt` at the start, so one event is one window of data, and reduces the congestion window once: a timeout
# within a RECOVERY does not again. Proportional rate reduction (RFC 6937 and draft-ietf-tcpm-prr-rfc6937bis) brings the
# window to `ssthresh` while segments are delivered.
#
# What shows that nothing was lost, so that the event is undone, once:
#   the first ACK that advances answers a segment sent before the first retransmission (Eifel, RFC 3522, by timestamps);
#     or it advances before anything was sent again
#   after a timeout, data are delivered that were sent once and that the timer had given up (F-RTO, RFC 5682). Where
#   there are
#     timestamps, Eifel decides for those that an ACK advances over. With neither these nor SACK two ACKs have to
#     advance, and meanwhile new data leave in place of retransmissions
#   DSACKs say that all that was sent again had arrived (RFC 3708), until a round trip after the recovery

from libc.stdint cimport uint32_t, uint64_t

cdef enum Phase:
    OPEN = 0
    RECOVERY
    LOSS
    REPAIR

cdef enum Doubt:                # F-RTO without SACK and timestamps: how many ACKs have advanced
    NO_DOUBT = 0
    TIMED_OUT_NOW
    ADVANCED_ONCE

cdef struct Recovery:
    Phase phase
    uint64_t recover
    uint64_t since              # when the event began
    # Proportional rate reduction: in flight at the start, and delivered and sent since.
    uint64_t flight
    uint64_t delivered
    uint64_t sent
    # Undo.
    bint undoable
    bint answered               # an ACK has advanced since
    Doubt doubt
    uint64_t start              # `una` when it began
    uint64_t resent             # sent again, less what DSACKs have reported
    uint64_t resend_stamp       # 1 << 32 | timestamp of the first retransmission, 0: none yet
    uint64_t resend_end         # the position where that one ends
    uint64_t given_up           # after a timeout: what was sent until then counts as lost; 0: it was none
    uint64_t forget             # DSACKs undo it until `una` is here
    # Without SACK (RFC 6582).
    uint64_t duplicates
    uint64_t inflated           # bytes that duplicate ACKs say have left the network
    bint first_missing          # the segment at `una` is missing

cdef void recovery_begin(Recovery *recovery, Phase phase, uint64_t una, uint64_t nxt, uint64_t now) noexcept nogil
cdef void recovery_end(Recovery *recovery, uint64_t nxt) noexcept nogil
cdef void recovery_resent(Recovery *recovery, uint64_t end, uint64_t size, uint32_t stamp) noexcept nogil
# Bytes that may leave after an ACK that delivered `size`; `safe`: it advances, and shows no further loss.
cdef uint64_t recovery_allows(
    Recovery *recovery, uint64_t size, uint64_t in_flight, uint64_t ssthresh, uint64_t mss, bint safe) noexcept nogil
# Whether the first ACK that answers the first retransmission shows that nothing was lost: it echoes the timestamp
# `echo`. So does one before anything was sent again, unless something is still `lost`.
cdef bint recovery_answered(Recovery *recovery, uint64_t ack, bint lost, bint stamped, uint32_t echo) noexcept nogil
# Whether a DSACK of [start, end) shows that.
cdef bint recovery_duplicate(Recovery *recovery, uint64_t start, uint64_t end) noexcept nogil
# Whether the second ACK since a timeout shows it; `more`: there are new data to send meanwhile.
cdef bint recovery_advanced(Recovery *recovery, bint advances, bint more) noexcept nogil
