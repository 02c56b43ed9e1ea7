# All sessions of a node by remote key, and the rules for when a handshake is sent.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport Packet
from ygg_c.base.ratelimit cimport Recent
from ygg_c.base.sodium cimport Random
from ygg_c.routing.layer cimport TrafficLower, TrafficUpper
from ygg_c.session.layer cimport SessionUpper
from ygg_c.session.openings cimport Opening, Openings
from ygg_c.session.remotes cimport RemoteList
from ygg_c.session.session cimport Handshake, Identity, Remote, Session

cdef enum:                      # why a message or payload went nowhere, or what else is worth counting
    COUNT_MALFORMED = 0
    COUNT_UNKNOWN_TYPE
    COUNT_HANDSHAKE_FORGED
    COUNT_HANDSHAKE_OLD
    COUNT_HANDSHAKE_CROSSED
    COUNT_HANDSHAKE_LIMITED
    COUNT_REPLAYED
    COUNT_UNKNOWN_KEYS
    COUNT_FORGED
    COUNT_NO_SESSION
    COUNT_INIT_LIMITED
    COUNT_ACK_LIMITED
    COUNT_STRANGER_LIMITED
    COUNT_OVERSIZED
    COUNT_UNSEALED
    COUNT_EXPIRED
    COUNT_EVICTED
    COUNT_INIT_SENT
    COUNT_ACK_SENT
    COUNT_SESSION_OPENED
    COUNT_RENEWED
    COUNTS

cdef class SessionTable(TrafficUpper):
    cdef TrafficLower lower         # takes the messages that leave
    cdef SessionUpper upper         # takes the payloads that have come
    cdef Identity me
    cdef uint64_t made_in           # generation of ygg_c.base.forks: the process it belongs to
    cdef Random random
    cdef ByteMap _sessions          # key -> Session
    cdef RemoteList _live           # sessions in which we have sent something
    cdef RemoteList _quiet          # the others
    cdef Openings openings
    cdef Budget _handshakes         # microseconds of work for handshakes that come in
    cdef Budget _recoveries         # the same for Inits to strangers whose traffic needs a session
    cdef Recent _ended              # keys of sessions that have ended lately
    cdef Recent _told               # keys of which `renewed` was told lately
    cdef uint64_t _salt
    cdef uint64_t _ask_at           # ns: no question which sessions are in use before
    cdef uint64_t _ask_by           # ns: one is wanted then, even if no session is about to lapse; NEVER: none
    cdef int _asked                 # Inits sent in answer to the present question
    cdef uint64_t _sweep_at         # ns: when to look next for those who only send
    cdef uint64_t _again_at         # ns: when to look next for payloads that wait; NEVER: there are none
    cdef double _worked             # microseconds of work that the present message has called for so far
    cdef uint64_t counts[COUNTS]
    cdef public size_t session_limit
    cdef public size_t quiet_limit
    cdef uint64_t now               # set by the owner before each call
    cdef uint64_t wall

    # Send a payload (takes ownership), or keep it and open a session.
    cdef void send(self, const uint8_t *key, Packet *payload) noexcept
    # This key has a new path; what was sent on the old one may be lost. `held`: what waited for it has just left.
    cdef void path_in(self, const uint8_t *key, bint held) noexcept
    # There is a link that was not there before: what was learned by waiting for answers says nothing any more.
    cdef void links_changed(self) noexcept
    # The node of this key is here again after it was away: it may have been restarted.
    cdef void returned(self, const uint8_t *key) noexcept
    # There are connections to this key: see that its session does not lapse while they are idle, nor stays lapsed for
    # good.
    cdef void in_use(self, const uint8_t *key) noexcept
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t poll(self) noexcept
    cdef void clear(self) noexcept
    cdef bint has_session(self, const uint8_t *key) noexcept

    cdef Session _session(self, const uint8_t *key)
    # A message proved to be the remote's own; `answered`: and that something we sent in the last minute has reached it.
    cdef void _heard(self, Session session, bint answered) noexcept
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
    cdef void _seal(self, Session session, Packet *payload) noexcept
    cdef void _renew(self, Session session) noexcept
    cdef void _seek(self, const uint8_t *key) noexcept
    cdef void _repeat_init(self, Session session) noexcept
    cdef bint _repeat_ack(self, Session session, bint awaited) noexcept
    cdef bint _answer_copy(self, Session session) noexcept
    cdef void _repeat_opening_init(self, Opening opening) noexcept
    cdef void _send_session_handshake(self, Session session, int kind, bint same=*) noexcept
    cdef void _send_opening_init(self, Opening opening, bint same) noexcept
    cdef void _send_handshake(self, Remote remote, Handshake *content, int kind) noexcept
    cdef RemoteList *_list_of(self, Session session) noexcept
    cdef void _use(self, Session session) noexcept
    cdef void _show_life(self, RemoteList *list) noexcept
    cdef uint64_t _sweep(self) noexcept
    cdef uint64_t _ask_again(self) noexcept
    cdef uint64_t _ask(self) noexcept
    cdef uint64_t _expire(self, RemoteList *list) noexcept
    cdef void _evict(self, RemoteList *list) noexcept
    cdef void _drop(self, Session session) noexcept
