# All sessions of a node: what is sent in them, what comes in, and what is done about it.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.packet cimport Packet
from ygg_c.base.ratelimit cimport Recent
from ygg_c.session.living cimport LivingSessions
from ygg_c.session.openings cimport Opening
from ygg_c.session.session cimport Handshake, Remote, Session

cdef class SessionTable(LivingSessions):
    cdef Budget _handshakes         # microseconds of work for handshakes that come in
    cdef Budget _recoveries         # the same for Inits to strangers whose traffic needs a session
    cdef Recent _told               # keys of which `renewed` was told lately
    cdef double _worked             # microseconds of work that the present message has called for so far

    # Send a payload (takes ownership), or keep it and open a session.
    cdef void send(self, const uint8_t *key, Packet *payload) noexcept
    # This key has a new path; what was sent on the old one may be lost. `held`: what waited for it has just left.
    cdef void path_in(self, const uint8_t *key, bint held) noexcept

    cdef void _receive_handshake(self, uint64_t origin, const uint8_t *key, uint8_t *message, int kind) noexcept
    cdef bint _crossed(self, Remote remote, const Handshake *content) noexcept
    cdef void _begin(self, uint64_t origin, const uint8_t *key, const Handshake *content, int kind,
                     Opening opening) noexcept
    cdef bint _take_handshake(self, Session session, uint64_t origin, const Handshake *content, int kind) noexcept
    cdef void _tell_renewed(self, const uint8_t *key) noexcept
    cdef Session _create(self, uint64_t origin, const uint8_t *key, const Handshake *content, Opening opening)
    cdef void _receive_traffic(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept
    cdef void _receive_from_stranger(self, uint64_t origin, const uint8_t *key) noexcept
    cdef void _recover(self, uint64_t origin, Session session) noexcept
