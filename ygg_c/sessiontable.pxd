# All sessions of a node by remote key, those being opened, and the rules for when a handshake is sent.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.buffer cimport Packet
from ygg_c.bytemap cimport ByteMap
from ygg_c.lru cimport Recent, RecentList
from ygg_c.session cimport Handshake, Identity, KeyPair, Session
from ygg_c.sodium cimport Random

cdef enum:                      # why a message or payload went nowhere, or what else is worth counting
    COUNT_MALFORMED = 0
    COUNT_UNKNOWN_TYPE
    COUNT_HANDSHAKE_FORGED
    COUNT_HANDSHAKE_OLD
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
cdef class Opening:
    cdef uint8_t key[32]
    cdef uint8_t x_public[32]
    cdef bint x_known
    cdef bint wanted                # by us: it may hold a payload; otherwise a stranger's traffic made it
    cdef KeyPair current, next
    cdef Packet *payload            # the newest unsent one
    cdef uint64_t init_sent         # ns, 0: never
    cdef Recent recent

cdef class SessionTable:
    cdef Identity me
    cdef Random random
    cdef ByteMap _sessions          # key -> Session
    cdef ByteMap _openings          # key -> Opening
    cdef RecentList _live           # sessions
    cdef RecentList _wanted         # openings by us
    cdef RecentList _strangers      # openings by strangers' traffic
    cdef size_t _payload_bytes      # held in openings
    cdef uint64_t _tokens           # Inits to strangers that may be sent now
    cdef uint64_t _refilled
    cdef uint64_t counts[COUNTS]
    cdef public size_t session_limit
    cdef public size_t opening_limit
    cdef uint64_t now               # set by the owner before each call
    cdef uint64_t wall

    # Upcalls, overridden by the owner. emit takes ownership of the packet.
    cdef void emit(self, const uint8_t *key, Packet *packet) noexcept
    cdef void deliver(self, Session session, uint8_t *payload, size_t size) noexcept

    # Send a payload (takes ownership), or keep it and open a session.
    cdef void send(self, const uint8_t *key, Packet *payload) noexcept
    # A session message from a key; it is changed in place.
    cdef void receive(self, const uint8_t *key, uint8_t *message, size_t size) noexcept
    # Forget what has expired; return the next deadline or NEVER.
    cdef uint64_t poll(self) noexcept
    cdef void clear(self) noexcept

    cdef void _receive_handshake(self, const uint8_t *key, uint8_t *message, bint is_init) noexcept
    cdef void _receive_traffic(self, const uint8_t *key, uint8_t *message, size_t size) noexcept
    cdef Session _create(self, const uint8_t *key, const Handshake *content, Packet **payload)
    cdef Opening _open(self, const uint8_t *key, bint wanted)
    cdef void _answer_stranger(self, const uint8_t *key) noexcept
    cdef void _send_opening_init(self, Opening opening) noexcept
    cdef void _send_handshake(self, Session session, int kind) noexcept
    cdef void _limited_init(self, Session session) noexcept
    cdef void _drop_session(self, Session session) noexcept
    cdef void _drop_opening(self, Opening opening) noexcept
    cdef void _seal(self, Session session, Packet *payload) noexcept
    cdef bint _take_token(self) noexcept
