"""Phases, proportional rate reduction and undo; see recovery.pxd."""


cdef void recovery_begin(Recovery *recovery, Phase phase, uint64_t una, uint64_t nxt, uint64_t now) noexcept nogil:
    recovery.phase = phase
    recovery.recover = nxt
    recovery.since = now
    recovery.start = una
    recovery.delivered = recovery.sent = 0
    recovery.resent = 0
    recovery.resend_stamp = recovery.given_up = 0
    recovery.answered = False
    recovery.undoable = phase != REPAIR
    recovery.doubt = NO_DOUBT


cdef void recovery_end(Recovery *recovery, uint64_t nxt) noexcept nogil:
    recovery.phase = OPEN
    recovery.inflated = 0
    recovery.answered = True
    recovery.doubt = NO_DOUBT
    recovery.forget = nxt


cdef void recovery_resent(Recovery *recovery, uint64_t end, uint64_t size, uint32_t stamp) noexcept nogil:
    recovery.resent += size
    recovery.sent += size
    if recovery.resend_stamp == 0:
        recovery.resend_stamp = <uint64_t>1 << 32 | stamp
        recovery.resend_end = end


cdef uint64_t recovery_allows(
    Recovery *recovery, uint64_t size, uint64_t in_flight, uint64_t ssthresh, uint64_t mss, bint safe
) noexcept nogil:
    cdef uint64_t target, allowed
    recovery.delivered += size
    if in_flight > ssthresh:
        target = <uint64_t>(<double>recovery.delivered * ssthresh / max(recovery.flight, <uint64_t>1)) + 1
        allowed = target - min(target, recovery.sent)
    else:
        # Slow start, or conservation of packets while more is lost.
        allowed = max(recovery.delivered - min(recovery.delivered, recovery.sent), size)
        allowed = min(allowed + (mss if safe else 0), ssthresh - in_flight)
    return max(allowed, mss) if recovery.sent == 0 else allowed


cdef bint recovery_answered(Recovery *recovery, uint64_t ack, bint lost, bint stamped, uint32_t echo) noexcept nogil:
    if recovery.answered:
        return False
    if recovery.resend_stamp == 0:
        return not lost
    if ack < recovery.resend_end:
        return False
    recovery.answered = True
    return stamped and <int>(echo - <uint32_t>recovery.resend_stamp) < 0


cdef bint recovery_advanced(Recovery *recovery, bint advances, bint more) noexcept nogil:
    cdef Doubt doubt = recovery.doubt
    recovery.doubt = ADVANCED_ONCE if doubt == TIMED_OUT_NOW and advances and more else NO_DOUBT
    return doubt == ADVANCED_ONCE and advances


cdef bint recovery_duplicate(Recovery *recovery, uint64_t start, uint64_t end) noexcept nogil:
    if not recovery.undoable or recovery.resend_stamp == 0 or end <= recovery.start or start >= recovery.recover:
        return False
    recovery.resent -= min(recovery.resent, end - max(start, recovery.start))
    return recovery.resent == 0
