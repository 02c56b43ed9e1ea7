# Explicit congestion notification (RFC 3168): a queue on the way that builds up marks packets instead of dropping them.
#
#   sender  ── data, ECT(0) ──→  a queue builds up  ── data, CE ──→  receiver
#           ←──────────── ECE on every ACK, until CWR comes ────────────
#           ── CWR on the next new data ───────────────────────────→
#
# The sender reduces its window once for each window of data, however many marks that got. Only data that are sent for
# the first time may be marked: not SYNs, ACKs, retransmissions, probes of the window or of the path MTU.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.ip.header cimport CE, NOT_ECT
from ygg_c.tcp.wire cimport ACK, CWR, ECE, RST, SYN, Segment

# What a stack does, or one of its connections.
cdef enum EcnUse:
    ECN_OFF = 0
    ECN_ASK                     # it asks with its SYNs, and agrees with those that ask
    ECN_AGREE                   # only the latter

cdef struct Ecn:
    uint8_t asked               # our SYN has, and was sent once
    uint8_t agreed              # both sides take part
    uint8_t echo                # a mark has come, and no CWR since
    uint8_t reduced             # our window was reduced: CWR is due
    uint8_t use                 # EcnUse
    uint64_t recover            # ACKs up to this position tell of the window of data for which it was

# A SYN that asks, a SYN,ACK that agrees. One that is marked itself came by a way on which marks mean nothing.
cdef inline bint ecn_asks(const Segment *syn) noexcept nogil:
    return syn.flags & (ECE | CWR) == ECE | CWR and syn.ecn == NOT_ECT

cdef inline bint ecn_agrees(const Segment *answer) noexcept nogil:
    return answer.flags & (ECE | CWR) == ECE and answer.ecn == NOT_ECT

# Take what a segment with acceptable data says to the receiver. True: an ACK shall tell of a first mark at once.
cdef inline bint ecn_received(Ecn *ecn, const Segment *segment) noexcept nogil:
    cdef bint echoed
    if segment.flags & CWR:
        ecn.echo = False
    if segment.ecn != CE:
        return False
    echoed = ecn.echo
    ecn.echo = True
    return not echoed

# Whether the sender has to react to this ECE, and if so begin to.
cdef inline bint ecn_reacts(Ecn *ecn, uint64_t ack, uint64_t nxt) noexcept nogil:
    if ack <= ecn.recover:
        return False
    ecn_reduced(ecn, nxt)
    return True

# The window was reduced, for whatever reason.
cdef inline void ecn_reduced(Ecn *ecn, uint64_t nxt) noexcept nogil:
    ecn.recover = nxt
    ecn.reduced = ecn.agreed

# The flags of a segment that leaves; `new`: it may be marked, and carry CWR.
cdef inline uint8_t ecn_flags(Ecn *ecn, uint8_t flags, bint new) noexcept nogil:
    if ecn.echo and flags & (ACK | SYN | RST) == ACK:
        flags |= ECE
    if new and ecn.reduced:
        ecn.reduced = False
        flags |= CWR
    return flags
