# All sessions of a node by remote key, those being opened, and the rules for when a handshake is sent.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.buffer cimport Packet
from ygg_c.bytemap cimport ByteMap
from ygg_c.aging cimport AgingList
from ygg_c.session cimport Handshake, Identity, KeyPair, Remote, Session
from ygg_c.sodium cimport Random
from ygg_c.throttle cimport Bucket

cdef enum:                      # why a message or payload went nowhere, or what else is worth counting
    COUNT_MALFORMED = 0
    COUNT_UNKNOWN_TYPE
    COUNT_HANDSHAKE_FORGED
    COUNT_HANDSHAKE_OLD
    COUNT_HANDSHAKE_CROSSED
    COUNT_REPLAYED
    COUNT_UNKNOWN_KEYS
    COUNT_FORGED
    COUNT_NO_SESSION
    COUNT_INIT_LIMITED
    COUNT_OVERSIZED
    COUNT_UNSEALED
    COUNT_REPLACED
    COUNT_EXPIRED
    COUNT_EVICTED
    COUNT_INIT_SENT
    COUNT_ACK_SENT
    COUNT_SESSION_OPENED
    COUNTS

# A session we asked for (or answered a stranger's traffic with) that has no remote keys yet.
cdef class Opening(Remote):
    cdef bint wanted                # by us: it may hold a payload; otherwise a stranger's traffic made it
    cdef KeyPair current, next
    cdef Packet *payload            # the newest unsent one
    cdef uint64_t repeated          # the unix second in which a new path made us repeat the Init, 0: none

cdef class SessionTable:
    cdef Identity me
    cdef uint64_t made_in           # generation of ygg_c.forks: the process it belongs to
    cdef Random random
    cdef ByteMap _sessions          # key -> Session
    cdef ByteMap _openings          # key -> Opening
    cdef AgingList _live             # sessions
    cdef AgingList _wanted           # openings by us
    cdef AgingList _strangers        # openings by strangers' traffic
    cdef size_t _payload_bytes      # held in openings
    cdef Bucket _answers            # Inits to strangers that may be sent now
    cdef uint64_t counts[COUNTS]
    cdef public size_t session_limit
    cdef public size_t opening_limit
    cdef uint64_t now               # set by the owner before each call
    cdef uint64_t wall

    # Upcalls, overridden by the owner. emit takes ownership of the packet.
    cdef void emit(self, const uint8_t *key, Packet *packet) noexcept
    cdef void deliver(self, Session session, uint8_t *payload, size_t size) noexcept
    # A message proved to be the remote's own; `answered`: and that something we sent in the last minute has reached it.
    cdef void heard(self, Session session, bint answered) noexcept

    # Send a payload (takes ownership), or keep it and open a session.
    cdef void send(self, const uint8_t *key, Packet *payload) noexcept
    # This key has a new path; what was sent on the old one may be lost.
    cdef void path_in(self, const uint8_t *key) noexcept
    # A session message from a key, which came in by the neighbour of this number (0: none); it is changed in place.
    cdef void receive(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t poll(self) noexcept
    cdef void clear(self) noexcept

    cdef void _receive_handshake(self, const uint8_t *key, uint8_t *message, int kind) noexcept
    cdef bint _crossed(self, Remote remote, const Handshake *content) noexcept
    cdef void _receive_traffic(self, const uint8_t *key, uint8_t *message, size_t size) noexcept
    cdef void _receive_from_stranger(self, const uint8_t *key) noexcept
    cdef Session _create(self, const uint8_t *key, const Handshake *content, Opening opening)
    cdef Opening _open(self, const uint8_t *key, bint wanted)
    cdef void _hold(self, Opening opening, Packet *payload) noexcept
    cdef void _seal(self, Session session, Packet *payload) noexcept
    cdef void _send_session_handshake(self, Session session, int kind) noexcept
    cdef void _send_opening_init(self, Opening opening, bint again=*) noexcept
    cdef void _send_handshake(self, Remote remote, Handshake *content, int kind) noexcept
    cdef AgingList *_list_of(self, Opening opening) noexcept
    cdef uint64_t _expire_openings(self, AgingList *list) noexcept
    cdef void _drop_session(self, Session session) noexcept
    cdef void _drop_opening(self, Opening opening) noexcept
