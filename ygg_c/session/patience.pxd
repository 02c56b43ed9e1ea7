# When a handshake may be repeated, and whether the ends are believed to be in step. See patience.pyx.

from libc.stdint cimport uint64_t

from ygg_c.session.session cimport Remote, Session

# Whether the answer to the last handshake may still be on its way; `least` in seconds.
cdef bint is_awaited(Remote remote, uint64_t least, uint64_t now) noexcept
# Whether a handshake may be sent that the last one did not lead to; `wall`: the unix second.
cdef bint may_repeat(Remote remote, uint64_t now, uint64_t wall) noexcept
cdef void note_repeated(Remote remote) noexcept         # it was sent
cdef void note_answered(Session session) noexcept       # an Init with other keys was, while keys are unsettled
cdef void note_turned(Session session, uint64_t now) noexcept       # a handshake was sent or taken
# What is known of the way, or of the remote, gives no reason for more patience than this (in seconds).
cdef void trust(Session session, uint64_t most) noexcept
# Whether the ends have been in step since the last handshake.
cdef bint is_settled(Session session) noexcept
# Whether the remote, by its own clock, has waited for an answer between its last Init and this one of second `seq`.
cdef bint has_waited(Session session, uint64_t seq) noexcept
