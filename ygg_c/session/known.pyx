"""The sessions of a node: what is said in them, and how they end; see known.pxd."""

from cpython.ref cimport PyObject
from libc.string cimport memcpy

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.forks cimport generation
from ygg_c.base.packet cimport packet_free, packet_new
from ygg_c.base.ratelimit cimport recent_note
from ygg_c.base.sodium cimport wipe
from ygg_c.session.patience cimport is_settled, may_repeat, note_repeated, note_turned
from ygg_c.session.remotes cimport remotes_add, remotes_remove, remotes_victim
from ygg_c.session.session cimport HANDSHAKE_SIZE, SESSION_ACK, SESSION_INIT, handshake_encode, identity_init

cdef uint64_t LIFETIME = 60 * SECOND            # of a session since something was received
cdef uint64_t REMEMBERED = 86400 * SECOND       # how long a session that has ended is remembered

cdef enum:
    SAME_STAMP = 2 | 4          # how many seconds we have waited when an opening Init is repeated with the stamp it had
    SESSIONS_MOST = 32768
    QUIET_MOST = 4096           # sessions in which we have sent nothing

_COUNT_NAMES = (
    "malformed", "unknown_type", "handshake_forged", "handshake_old", "handshake_crossed", "handshake_limited",
    "replayed",
    "unknown_keys", "forged", "no_session", "init_limited", "ack_limited", "stranger_limited", "oversized", "unsealed",
    "expired", "evicted", "init_sent", "ack_sent", "opened", "renewed",
)


cdef class KnownSessions:
    """The sessions of one identity."""

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        if len(secret) != 64:
            raise ValueError(f"secret must be 64 bytes, not {len(secret)}")
        self.made_in = generation
        identity_init(&self.me, <const uint8_t *><const char *>secret, group_password)
        self.random = Random() if random is None else random
        self.salt = self.random.u64()
        self.sessions = ByteMap(32, self.salt)
        self.openings = Openings(self.random, self.salt)
        self.lower = TrafficLower()
        self.upper = SessionUpper()
        self.ask_by = NEVER
        self.session_limit = SESSIONS_MOST
        self.quiet_limit = QUIET_MOST

    def __dealloc__(self):
        wipe(&self.me, sizeof(self.me))

    @property
    def opening_limit(self):
        """Sessions being opened at most."""
        return self.openings.limit

    @opening_limit.setter
    def opening_limit(self, size_t value):
        self.openings.limit = value

    cdef void heard(self, Session session, bint answered) noexcept:
        self.lower.source_proven(session.key)
        if answered:
            self.lower.path_works(session.key)

    cdef Session session_of(self, const uint8_t *key):
        cdef PyObject *found = self.sessions.get(key)
        return <Session>found if found != NULL else None

    cdef bint has_session(self, const uint8_t *key) noexcept:
        return self.sessions.get(key) != NULL

    cdef void seal(self, Session session, Packet *payload) noexcept:
        session.owes = False
        if session.packets_sent == 0:
            self.put_in_use(session)
        if session.seal(payload) == 0:
            self.lower.send_message(session.key, payload)
            if not session.proven and self.wall > session.said + 1:
                self.repeat_init(session)
        else:
            self.counts[COUNT_UNSEALED] += 1
            packet_free(payload)

    cdef void repeat_init(self, Session session) noexcept:
        is_settled(session)
        if may_repeat(session, self.now, self.wall):
            self.send_session_handshake(session, SESSION_INIT)
            note_repeated(session)
        else:
            self.counts[COUNT_INIT_LIMITED] += 1

    # The remote repeats what it said, as our Ack is lost or on its way.
    cdef bint repeat_ack(self, Session session, bint awaited) noexcept:
        if not awaited and not may_repeat(session, self.now, self.wall):
            self.counts[COUNT_ACK_LIMITED] += 1
            return False
        self.send_session_handshake(session, SESSION_ACK)
        note_repeated(session)
        return True

    # Its sender has no session, or it would have said something in it: what we answered is lost, or on its way.
    cdef bint answer_copy(self, Session session) noexcept:
        if not may_repeat(session, self.now, self.wall):
            self.counts[COUNT_ACK_LIMITED] += 1
            return False
        self.send_session_handshake(session, SESSION_ACK, True)
        note_repeated(session)
        return True

    cdef void repeat_opening_init(self, Opening opening) noexcept:
        if may_repeat(opening, self.now, self.wall):
            self.send_opening_init(opening, opening.patience & SAME_STAMP)
            note_repeated(opening)
        else:
            self.counts[COUNT_INIT_LIMITED] += 1

    cdef void send_session_handshake(self, Session session, int kind, bint same=False) noexcept:
        cdef Handshake content
        if not same:
            session.said = self.wall
        session.describe(&content)
        content.seq = session.said
        note_turned(session, self.now)
        self._send_handshake(session, &content, kind)

    cdef void send_opening_init(self, Opening opening, bint same) noexcept:
        cdef Handshake content
        if not same:
            opening.said = self.wall
        opening.turned = self.now
        content.seq = opening.said
        memcpy(content.current, opening.current.public, 32)
        memcpy(content.next, opening.next.public, 32)
        content.keyseq = 0
        self._send_handshake(opening, &content, SESSION_INIT)
        if opening.wanted:
            self.lower.introduce(opening.key)

    cdef void _send_handshake(self, Remote remote, Handshake *content, int kind) noexcept:
        cdef const uint8_t *exchange_key = remote.exchange_key()
        cdef Packet *packet
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
        self.lower.send_message(remote.key, packet)

    cdef RemoteList *list_of(self, Session session) noexcept:
        return &self.live if session.used else &self.quiet

    # Something of ours is sent in it for the first time.
    cdef void put_in_use(self, Session session) noexcept:
        if session.used:
            return
        remotes_remove(&self.quiet, session)
        session.used = True
        if self.live.aging.count >= self.session_limit:
            self.evict(&self.live)
        remotes_add(&self.live, session, self.now)

    cdef uint64_t expire(self, RemoteList *list) noexcept:
        while list.aging.count and self.now - list.aging.oldest.used >= LIFETIME:
            self.counts[COUNT_EXPIRED] += 1
            self.drop(<Session>list.aging.oldest.owner)
        return list.aging.oldest.used + LIFETIME if list.aging.count else NEVER

    cdef void evict(self, RemoteList *list) noexcept:
        self.counts[COUNT_EVICTED] += 1
        self.drop(<Session>remotes_victim(list))

    cdef void drop(self, Session session) noexcept:
        if session.used and session.packets_received:
            recent_note(&self.ended, session.key, self.salt, self.now, REMEMBERED)
            self.ask_by = min(self.ask_by, self.now)      # it may have connections
        remotes_remove(self.list_of(session), session)
        self.sessions.discard(session.key)
        self.upper.session_closed(session.key)

    cdef void clear(self) noexcept:
        while self.live.aging.count:
            self.drop(<Session>self.live.aging.oldest.owner)
        while self.quiet.aging.count:
            self.drop(<Session>self.quiet.aging.oldest.owner)
        self.openings.clear()
        self.ask_by = NEVER

    def states(self):
        """Return the sessions as dicts, sorted by key."""
        cdef Session session
        result = []
        for key, value in sorted(self.sessions.items()):
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
        result = {name: self.counts[index] for index, name in enumerate(_COUNT_NAMES)}
        result["expired"] += self.openings.expired
        result["evicted"] += self.openings.evicted
        result["payloads_dropped"] = self.openings.dropped
        return result
