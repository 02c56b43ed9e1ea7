# Whether the far side of a link is there: when it owes an answer, when we do, when it is given up. See liveness.pyx.

from libc.stdint cimport uint64_t

# Times are ns of the host's clock.
cdef struct Liveness:
    uint64_t answer_by          # the far side has to say something until then; NEVER: it owes nothing
    uint64_t ack_at             # when we have to, and say a keepalive if nothing else; NEVER: we owe nothing
    uint64_t alive_at           # when a byte last came, or the transport took one
    uint64_t heard_at           # when a byte last came
    uint64_t spared_until       # its transport was heard, if not its node; 0: not in this silence

cdef void liveness_begin(Liveness *live) noexcept
# A message came; `real`: it wants an answer. `waits`: so does output of ours. Returns when something is due next.
cdef uint64_t liveness_received(Liveness *live, bint real, bint waits, uint64_t now) noexcept
cdef void liveness_heard(Liveness *live, uint64_t now) noexcept         # a byte came
cdef void liveness_resume(Liveness *live, uint64_t now) noexcept        # what came was held: its answer may be in there
cdef bint liveness_expect(Liveness *live, uint64_t now) noexcept        # an answer; True: from now on
cdef void liveness_owe(Liveness *live, uint64_t now) noexcept           # an answer ourselves
# When it is dead unless something moves, given that output is stuck: the transport is full and more waits. `lag`: its
# smoothed round trip, `rate`: bytes a second that it takes.
cdef uint64_t liveness_stuck_until(const Liveness *live, uint64_t lag, uint64_t rate) noexcept
# Whether it seems to be dead. `stuck_until`: as above, NEVER where output is not stuck.
cdef bint liveness_overdue(Liveness *live, uint64_t stuck_until, uint64_t now) noexcept
cdef bint liveness_may_spare(const Liveness *live, uint64_t now) noexcept       # where its transport is heard
cdef void liveness_spare(Liveness *live, uint64_t now) noexcept
# Nothing has come for longer than the far side may take to answer, and an answer is due.
cdef bint liveness_is_silent(const Liveness *live, uint64_t lag, uint64_t now) noexcept
