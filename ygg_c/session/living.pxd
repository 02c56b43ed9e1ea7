# What keeps the sessions of a node alive, and when they lapse.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.session.known cimport KnownSessions
from ygg_c.session.remotes cimport RemoteList
from ygg_c.session.session cimport Session

cdef enum:
    DUMMY_SIZE = 1                  # bytes of a payload that says nothing

cdef class LivingSessions(KnownSessions):
    cdef uint64_t _ask_at           # ns: no question which sessions are in use before
    cdef int _asked                 # Inits sent in answer to the present question
    cdef uint64_t _sweep_at         # ns: when to look next for those who only send
    cdef uint64_t _again_at         # ns: when to look next for payloads that wait; NEVER: there are none

    # There is a link that was not there before: what was learned by waiting for answers says nothing any more.
    cdef void links_changed(self) noexcept
    # The node of this key is here again after it was away: it may have been restarted.
    cdef void returned(self, const uint8_t *key) noexcept
    # There are connections to this key: see that its session does not lapse while they are idle, nor stays lapsed for
    # good.
    cdef void in_use(self, const uint8_t *key) noexcept
    cdef void ask_again_soon(self) noexcept                     # a payload waits for a session
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t poll(self) noexcept
    cdef void _renew(self, Session session) noexcept
    cdef void _seek(self, const uint8_t *key) noexcept
    cdef void _show_life(self, RemoteList *list) noexcept
    cdef uint64_t _sweep(self) noexcept
    cdef uint64_t _ask_again(self) noexcept
    cdef uint64_t _ask(self) noexcept
