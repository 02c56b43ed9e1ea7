# The sessions of a node by remote key: what is said in them (payloads sealed; handshakes sent, repeated and answered),
# and how they end. When that is done is decided above, in living.pxd and table.pxd.

from libc.stdint cimport uint8_t, uint64_t

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

cdef class KnownSessions(TrafficUpper):
    cdef TrafficLower lower         # takes the messages that leave
    cdef SessionUpper upper         # takes the payloads that have come
    cdef Identity me
    cdef uint64_t made_in           # generation of ygg_c.base.forks: the process it belongs to
    cdef Random random
    cdef uint64_t salt
    cdef ByteMap sessions           # key -> Session
    cdef RemoteList live            # sessions in which we have sent something
    cdef RemoteList quiet           # the others
    cdef Openings openings
    cdef Recent ended               # keys of sessions that have ended lately
    # ns: the question which sessions are in use is wanted then, even if none is about to lapse; NEVER: it is not
    cdef uint64_t ask_by
    cdef uint64_t counts[COUNTS]
    cdef public size_t session_limit
    cdef public size_t quiet_limit
    cdef uint64_t now               # set by the owner before each call
    cdef uint64_t wall

    cdef Session session_of(self, const uint8_t *key)
    cdef bint has_session(self, const uint8_t *key) noexcept
    # A message proved to be the remote's own; `answered`: and that something we sent in the last minute has reached it.
    cdef void heard(self, Session session, bint answered) noexcept
    cdef void seal(self, Session session, Packet *payload) noexcept
    # Inits and Acks that nothing new has called for.
    cdef void repeat_init(self, Session session) noexcept
    cdef bint repeat_ack(self, Session session, bint awaited) noexcept
    cdef bint answer_copy(self, Session session) noexcept
    cdef void repeat_opening_init(self, Opening opening) noexcept
    # `same`: with the stamp that the last one had.
    cdef void send_session_handshake(self, Session session, int kind, bint same=*) noexcept
    cdef void send_opening_init(self, Opening opening, bint same) noexcept
    cdef void _send_handshake(self, Remote remote, Handshake *content, int kind) noexcept
    cdef RemoteList *list_of(self, Session session) noexcept
    cdef void put_in_use(self, Session session) noexcept        # something of ours is sent in it for the first time
    cdef uint64_t expire(self, RemoteList *list) noexcept       # returns when there is more to do, or NEVER
    cdef void evict(self, RemoteList *list) noexcept
    cdef void drop(self, Session session) noexcept
    cdef void clear(self) noexcept
