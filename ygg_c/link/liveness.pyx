"""Whether the far side of a link is there; see liveness.pxd.

What was sent has to be answered, with a keepalive if with nothing else, within a second; three seconds after that
silence a link is dead. Whatever comes is a sign of life: of a large frame on a slow link the end may be long in coming.

The far side answers within a second, and meanwhile its transport acknowledges bytes, so ours takes more. A link on
which more waits, and nothing has moved either way for that time and several round trips, is dead sooner. Silence alone
is not enough: of little that was sent it is not known how long it is under way.

A transport that must repeat what was lost holds back what came after it, for as long as its full queues make a round
trip. It hears from the far side meanwhile, and a path that is dead says nothing. So where the transport is heard the
link is spared, for a while and not for ever.
"""

from ygg_c.base.clock cimport MS, NEVER, SECOND

cdef enum:
    FRAME_MOST = 65536          # bytes of the largest that a sender makes of a packet

cdef uint64_t DEAD_AFTER = 3 * SECOND       # silence after a message that had to be answered
cdef uint64_t ACK_AFTER = SECOND            # silence of ours after a message of theirs
# what the far side may take beyond that, before a link that takes nothing is dead
cdef uint64_t STUCK_LEAST = 1250 * MS
cdef uint64_t SILENT_LEAST = SECOND         # and before one is whose far side is heard by another way
cdef uint64_t SPARED_MOST = 12 * SECOND     # silence of a link whose transport is heard
cdef uint64_t SPARED_FOR = 500 * MS         # until it is asked again
cdef uint64_t LATE = 200 * MS               # by which we may be late ourselves before silence says nothing


cdef inline uint64_t _unanswered_since(const Liveness *live) noexcept:
    return live.answer_by - DEAD_AFTER


cdef void liveness_begin(Liveness *live) noexcept:
    live.answer_by = live.ack_at = NEVER
    live.alive_at = live.heard_at = live.spared_until = 0


cdef uint64_t liveness_received(Liveness *live, bint real, bint waits, uint64_t now) noexcept:
    # While output is stuck the neighbour must go on talking, or it is taken for dead.
    live.answer_by = now + DEAD_AFTER if waits else NEVER
    if real and live.ack_at == NEVER:
        live.ack_at = now + ACK_AFTER
    return min(live.ack_at, live.answer_by)


cdef void liveness_heard(Liveness *live, uint64_t now) noexcept:
    live.alive_at = live.heard_at = now
    live.spared_until = 0
    liveness_resume(live, now)


cdef void liveness_resume(Liveness *live, uint64_t now) noexcept:
    if live.answer_by != NEVER:
        live.answer_by = now + DEAD_AFTER


cdef bint liveness_expect(Liveness *live, uint64_t now) noexcept:
    if live.answer_by != NEVER:
        return False
    live.answer_by = now + DEAD_AFTER
    return True


cdef void liveness_owe(Liveness *live, uint64_t now) noexcept:
    live.ack_at = now + ACK_AFTER


cdef uint64_t liveness_stuck_until(const Liveness *live, uint64_t lag, uint64_t rate) noexcept:
    cdef uint64_t patience
    if live.answer_by == NEVER:
        return NEVER
    # A slow one may also be busy with one large frame of another sender.
    patience = max(max(STUCK_LEAST, 4 * lag), FRAME_MOST * SECOND // rate)
    return max(live.alive_at, _unanswered_since(live)) + min(ACK_AFTER + patience, DEAD_AFTER)


cdef bint liveness_overdue(Liveness *live, uint64_t stuck_until, uint64_t now) noexcept:
    if now < live.spared_until:
        return False
    if live.answer_by <= now:
        return True
    if stuck_until > now:
        return False
    if now - stuck_until > LATE:
        live.alive_at = now             # it was us who slept
        return False
    return True


cdef bint liveness_may_spare(const Liveness *live, uint64_t now) noexcept:
    return now - _unanswered_since(live) < SPARED_MOST


cdef void liveness_spare(Liveness *live, uint64_t now) noexcept:
    live.alive_at = now
    live.spared_until = now + SPARED_FOR


cdef bint liveness_is_silent(const Liveness *live, uint64_t lag, uint64_t now) noexcept:
    return live.answer_by != NEVER and now - _unanswered_since(live) > ACK_AFTER + max(SILENT_LEAST, 2 * lag)
