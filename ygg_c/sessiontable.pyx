"""All sessions of a node, and when handshakes are sent.

A session begins with one of us sending an Init; until the answer comes there is an Opening, with the two key pairs
whose publics the Init told. Two things make one: a payload of ours for a key without a session, and traffic from a key
that has a session with us of which we know nothing (we were restarted). The reference answers the latter with keys it
forgets, and must then wait for a later second before its own Ack counts; keeping the pairs lets the remote's Ack
complete the session at once. What strangers can make us keep is bounded apart from what we want ourselves.

When both send an Init in the same second and both take the other's, they end up in the third key case, out of which the
sides step at different times: packets are lost and Inits cross again. One Init is enough, so the node with the smaller
key overlooks the first that crosses its own; the remote's Ack is on its way. The two clocks may differ, so an Init that
comes within a second or two of ours, by our own clock, crosses it too.

A handshake recorded before we were restarted makes a session with keys that the remote has left. The Ack that would tell
it may be lost, and the reference overlooks packets with a nonce it has had without a word. So while nothing has proved
that the remote holds these keys, we repeat our Init as we talk. An Ack to an Init of ours proves it unless it is older.

No key is sent more than one unsolicited Init a second, for a second one with the same time stamp would be ignored; but when
a path is replaced the first may have been lost on the old one, and is repeated once. An Init sent again carries the present
second, so that an Ack that was lost is sent again too.
"""

from cpython.ref cimport PyObject
from libc.string cimport memcmp, memcpy

from ygg_c.aging cimport aging_add, aging_remove, aging_touch
from ygg_c.buffer cimport packet_free, packet_new
from ygg_c.forks cimport generation
from ygg_c.packetio cimport NEVER
from ygg_c.session cimport (HANDSHAKE_SIZE, OPEN_FORGED, OPEN_MALFORMED, OPEN_REPLAYED, OPENED, PAYLOAD_LARGEST,
                            SESSION_ACK, SESSION_DUMMY, SESSION_INIT, SESSION_TRAFFIC, fresh_pair, handshake_decode,
                            handshake_encode, identity_init)
from ygg_c.sodium cimport wipe
from ygg_c.throttle cimport bucket_init, bucket_take

cdef uint64_t LIFETIME = 60 * <uint64_t>1000000000      # of sessions and openings since their last use

cdef enum:
    HELD_LIMIT = 16777216       # bytes of payloads waiting for sessions
    ANSWER_RATE = 500           # Inits to strangers per second: each costs about 0.2 ms
    ANSWER_BURST = 1000

_COUNT_NAMES = (
    "malformed", "unknown_type", "handshake_forged", "handshake_old", "handshake_crossed", "replayed", "unknown_keys",
    "forged", "no_session", "init_limited", "oversized", "unsealed", "replaced", "expired", "evicted", "init_sent", "ack_sent",
    "opened",
)


cdef class Opening(Remote):
    """A session that waits for the remote's keys."""

    def __dealloc__(self):
        packet_free(self.payload)
        wipe(&self.current, sizeof(KeyPair))
        wipe(&self.next, sizeof(KeyPair))


cdef class SessionTable:
    """All sessions of one identity; the owner overrides emit and deliver."""

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        if len(secret) != 64:
            raise ValueError(f"secret must be 64 bytes, not {len(secret)}")
        self.made_in = generation
        identity_init(&self.me, <const uint8_t *><const char *>secret, group_password)
        self.random = Random() if random is None else random
        self._sessions = ByteMap(32)
        self._openings = ByteMap(32)
        self.session_limit = 65536
        self.opening_limit = 4096
        bucket_init(&self._answers, ANSWER_RATE, ANSWER_BURST, 0)

    def __dealloc__(self):
        wipe(&self.me, sizeof(self.me))

    cdef void emit(self, const uint8_t *key, Packet *packet) noexcept:
        packet_free(packet)

    cdef void deliver(self, Session session, uint8_t *payload, size_t size) noexcept:
        pass

    cdef void heard(self, Session session, bint answered) noexcept:
        pass

    cdef void send(self, const uint8_t *key, Packet *payload) noexcept:
        cdef PyObject *found
        cdef Opening opening
        if self.made_in != generation:      # keys and nonces are the parent's
            packet_free(payload)
            return
        if payload.size > PAYLOAD_LARGEST:
            self.counts[COUNT_OVERSIZED] += 1
            packet_free(payload)
            return
        found = self._sessions.get(key)
        if found != NULL:
            self._seal(<Session>found, payload)
            return
        opening = self._open(key, True)
        self._hold(opening, payload)
        self._send_opening_init(opening)

    cdef void path_in(self, const uint8_t *key) noexcept:
        cdef PyObject *found = self._openings.get(key)
        if found != NULL and (<Opening>found).wanted and (<Opening>found).repeated != self.wall:
            (<Opening>found).repeated = self.wall
            self._send_opening_init(<Opening>found, True)

    cdef void receive(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        cdef int kind = message[0] if size else SESSION_DUMMY
        if self.made_in != generation:
            return
        if kind == SESSION_TRAFFIC:
            self._receive_traffic(key, message, size)
        elif kind == SESSION_INIT or kind == SESSION_ACK:
            if size == HANDSHAKE_SIZE:
                self._receive_handshake(key, message, kind)
            else:
                self.counts[COUNT_MALFORMED] += 1
        elif kind != SESSION_DUMMY:
            self.counts[COUNT_UNKNOWN_TYPE] += 1

    cdef void _receive_handshake(self, const uint8_t *key, uint8_t *message, int kind) noexcept:
        cdef Handshake content
        cdef Session session
        cdef PyObject *found
        cdef Opening opening = None
        cdef bint fresh
        if handshake_decode(&content, message, &self.me, key) != 0:
            self.counts[COUNT_HANDSHAKE_FORGED] += 1
            return
        found = self._sessions.get(key)
        fresh = found == NULL
        if fresh:
            found = self._openings.get(key)
            opening = <Opening>found if found != NULL else None
        if found != NULL and kind == SESSION_INIT and self._crossed(<Remote>found, &content):
            self.counts[COUNT_HANDSHAKE_CROSSED] += 1
            return
        if fresh:
            session = self._create(key, &content, opening)
        else:
            session = <Session>found
            if not session.accept(&content):
                self.counts[COUNT_HANDSHAKE_OLD] += 1
                return
            session.crossing = False
            aging_touch(&self._live, &session.aging, self.now)
        self.heard(session, kind == SESSION_ACK and session.proven)
        if fresh or kind == SESSION_INIT:
            self._send_session_handshake(session, SESSION_ACK)
        if opening is not None and opening.payload != NULL:
            self._seal(session, opening.payload)
            opening.payload = NULL

    cdef bint _crossed(self, Remote remote, const Handshake *content) noexcept:
        cdef bint crossed = (remote.crossing and (remote.said == content.seq or self.wall <= remote.said + 1)
                             and memcmp(self.me.key, remote.key, 32) < 0)
        remote.crossing &= not crossed
        return crossed

    cdef void _receive_traffic(self, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        cdef PyObject *found = self._sessions.get(key)
        cdef Session session
        cdef uint8_t *payload
        cdef size_t payload_size
        cdef int result
        if found == NULL:
            self._receive_from_stranger(key)
            return
        session = <Session>found
        result = session.open(message, size, self.now, &payload, &payload_size)
        if result == OPENED:
            aging_touch(&self._live, &session.aging, self.now)
            self.heard(session, session.answered)
            self.deliver(session, payload, payload_size)
        elif result == OPEN_MALFORMED:
            self.counts[COUNT_MALFORMED] += 1
        elif result == OPEN_REPLAYED:
            self.counts[COUNT_REPLAYED] += 1
        else:
            self.counts[COUNT_FORGED if result == OPEN_FORGED else COUNT_UNKNOWN_KEYS] += 1
            if session.said == self.wall:
                self.counts[COUNT_INIT_LIMITED] += 1
            else:
                self._send_session_handshake(session, SESSION_INIT)

    cdef void _receive_from_stranger(self, const uint8_t *key) noexcept:
        cdef PyObject *found = self._openings.get(key)
        self.counts[COUNT_NO_SESSION] += 1
        if found != NULL:
            self._send_opening_init(<Opening>found)
        elif bucket_take(&self._answers, self.now):
            self._send_opening_init(self._open(key, False))
        else:
            self.counts[COUNT_INIT_LIMITED] += 1

    cdef Session _create(self, const uint8_t *key, const Handshake *content, Opening opening):
        cdef Session session = Session.__new__(Session)
        memcpy(session.key, key, 32)
        session.random = self.random
        session.since = self.now
        if opening is not None:
            session.start(content, &opening.current, &opening.next)
            memcpy(session.x_public, opening.x_public, 32)
            session.x_state = opening.x_state
            session.said = opening.said
            session.proven = content.seq >= opening.said
            self._payload_bytes -= opening.payload.size if opening.payload != NULL else 0
            aging_remove(self._list_of(opening), &opening.aging)
            self._openings.discard(key)
        else:
            session.start(content, NULL, NULL)
        if self._live.count >= self.session_limit:
            self.counts[COUNT_EVICTED] += 1
            self._drop_session(<Session>self._live.oldest.owner)
        self._sessions.put(key, session)
        aging_add(&self._live, &session.aging, <void *>session, self.now)
        self.counts[COUNT_SESSION_OPENED] += 1
        return session

    # The opening for a key, made when there is none.
    cdef Opening _open(self, const uint8_t *key, bint wanted):
        cdef PyObject *found = self._openings.get(key)
        cdef Opening opening
        cdef AgingList *list
        if found != NULL:
            opening = <Opening>found
            aging_remove(self._list_of(opening), &opening.aging)
            opening.wanted |= wanted
        else:
            opening = Opening.__new__(Opening)
            memcpy(opening.key, key, 32)
            opening.wanted = wanted
            fresh_pair(&opening.current, self.random)
            fresh_pair(&opening.next, self.random)
        list = self._list_of(opening)
        if list.count >= self.opening_limit:
            self.counts[COUNT_EVICTED] += 1
            self._drop_opening(<Opening>list.oldest.owner)
        if found == NULL:
            self._openings.put(key, opening)
        aging_add(list, &opening.aging, <void *>opening, self.now)
        return opening

    cdef void _hold(self, Opening opening, Packet *payload) noexcept:
        if opening.payload != NULL:
            self.counts[COUNT_REPLACED] += 1
            self._payload_bytes -= opening.payload.size
            packet_free(opening.payload)
        opening.payload = payload
        self._payload_bytes += payload.size
        while self._payload_bytes > HELD_LIMIT:
            self.counts[COUNT_EVICTED] += 1
            self._drop_opening(<Opening>self._wanted.oldest.owner)

    cdef void _seal(self, Session session, Packet *payload) noexcept:
        if session.seal(payload) == 0:
            aging_touch(&self._live, &session.aging, self.now)
            self.emit(session.key, payload)
            if not session.proven and self.wall > session.said + 1:
                self._send_session_handshake(session, SESSION_INIT)
        else:
            self.counts[COUNT_UNSEALED] += 1
            packet_free(payload)

    cdef void _send_session_handshake(self, Session session, int kind) noexcept:
        cdef Handshake content
        session.describe(&content)
        self._send_handshake(session, &content, kind)

    cdef void _send_opening_init(self, Opening opening, bint again=False) noexcept:
        cdef Handshake content
        if opening.said == self.wall and not again:
            self.counts[COUNT_INIT_LIMITED] += 1
            return
        memcpy(content.current, opening.current.public, 32)
        memcpy(content.next, opening.next.public, 32)
        content.keyseq = 0
        self._send_handshake(opening, &content, SESSION_INIT)

    cdef void _send_handshake(self, Remote remote, Handshake *content, int kind) noexcept:
        cdef const uint8_t *exchange_key = remote.exchange_key()
        cdef Packet *packet
        content.seq = remote.said = self.wall
        remote.crossing = kind == SESSION_INIT
        if exchange_key == NULL:
            self.counts[COUNT_UNSEALED] += 1
            return
        packet = packet_new(HANDSHAKE_SIZE)
        if packet == NULL:
            return
        packet.size = HANDSHAKE_SIZE
        if handshake_encode(packet.data, kind, content, &self.me, exchange_key, self.random) != 0:
            self.counts[COUNT_UNSEALED] += 1
            packet_free(packet)
            return
        self.counts[COUNT_INIT_SENT if kind == SESSION_INIT else COUNT_ACK_SENT] += 1
        self.emit(remote.key, packet)

    cdef uint64_t poll(self) noexcept:
        cdef uint64_t deadline = min(self._expire_openings(&self._wanted), self._expire_openings(&self._strangers))
        while self._live.count and self.now - self._live.oldest.used >= LIFETIME:
            self.counts[COUNT_EXPIRED] += 1
            self._drop_session(<Session>self._live.oldest.owner)
        if self._live.count:
            deadline = min(deadline, self._live.oldest.used + LIFETIME)
        return deadline

    cdef uint64_t _expire_openings(self, AgingList *list) noexcept:
        while list.count and self.now - list.oldest.used >= LIFETIME:
            self.counts[COUNT_EXPIRED] += 1
            self._drop_opening(<Opening>list.oldest.owner)
        return list.oldest.used + LIFETIME if list.count else NEVER

    cdef void clear(self) noexcept:
        while self._live.count:
            self._drop_session(<Session>self._live.oldest.owner)
        while self._wanted.count:
            self._drop_opening(<Opening>self._wanted.oldest.owner)
        while self._strangers.count:
            self._drop_opening(<Opening>self._strangers.oldest.owner)

    cdef AgingList *_list_of(self, Opening opening) noexcept:
        return &self._wanted if opening.wanted else &self._strangers

    cdef void _drop_session(self, Session session) noexcept:
        aging_remove(&self._live, &session.aging)
        self._sessions.discard(session.key)

    cdef void _drop_opening(self, Opening opening) noexcept:
        if opening.payload != NULL:
            self._payload_bytes -= opening.payload.size
        aging_remove(self._list_of(opening), &opening.aging)
        self._openings.discard(opening.key)

    def states(self):
        """Return the sessions as dicts, sorted by key."""
        cdef Session session
        result = []
        for key, value in sorted(self._sessions.items()):
            session = value
            result.append({
                "key": key,
                "bytes_sent": session.bytes_sent,
                "bytes_received": session.bytes_received,
                "packets_sent": session.packets_sent,
                "packets_received": session.packets_received,
                "uptime": self.now - session.since,
            })
        return result

    def counters(self):
        """Return the counts by name."""
        return {name: self.counts[index] for index, name in enumerate(_COUNT_NAMES)}
