"""All sessions of a node, and when handshakes are sent.

A session begins with one of us sending an Init; until the answer comes there is an Opening, with the two key pairs
whose publics the Init told. Two things make one: a payload of ours for a key without a session, and traffic from a key
that has a session with us of which we know nothing (we were restarted). The reference answers the latter with keys it
forgets, and must then wait for a later second before its own Ack counts; keeping the pairs lets the remote's Ack
complete the session at once.

When both send an Init in the same second and both take the other's, they end up in the third key case, out of which the
sides step at different times: packets are lost and Inits cross again. One Init is enough, so the node with the smaller
key overlooks those that cross its own; the remote's Ack is on its way. The two clocks may differ, so an Init that comes
while the answer to ours is still to be expected, by our own clock, crosses it too.

A handshake recorded before we were restarted makes a session with keys that the remote has left. The Ack that would
tell it may be lost, and the reference overlooks packets with a nonce it has had without a word. So while nothing has
proved that the remote holds these keys, we repeat our Init as we talk. An Ack to an Init of ours proves it unless it is
older.

When a handshake may be repeated is in patience.pyx.

The reference repeats the Init that opens a session for every payload it has, and always with the stamp it had: were a
second one overlooked, an Ack that is lost would cost it a minute, until we have forgotten the session. So while nothing
opens, a copy of the last Init is answered with a copy of our Ack, after 1, 2, 4 … 32 seconds too. Who has had the
first overlooks the second.

A session lives for a minute after the last payload or handshake that was received. That something was sent shows
nothing: a remote that was restarted with its clock set back refuses it, and is refused, until this end has forgotten
the session. So one who only sends is answered with a dummy now and then. The node says which remotes it has connections
to (name_remotes): when their sessions are about to lapse they are sent an Init. That would cost one who only sends what
is on its way.

So a remote that was restarted is found within 48 seconds although both ends have nothing to say: the Init makes it
answer with new keys, and the connections to its old self are probed and end (session_renewed). A neighbour is asked as
soon as it is back (returned), for its link tells. Of others nothing tells, and when they stay away for more than a
minute the session lapses. While there are connections left of it the remote is then asked again, after a minute and
after as long again as it has been away, each 16 minutes at last. Such questions are few: at most a hundred Inits in one
turn, for the openings half of their places.

Strangers make us work before they have proved anything: 28 microseconds for an invented Init, 250 for one that is
answered. So a handshake is looked at only when all that it may cost can be had from a budget that is shared by
neighbour and source (base/budget.pyx); what it turns out not to need is given back. So are Inits that packets call for
which do not open: anyone can make such up in the names of a thousand remotes whose sessions rest. Known are those with
a session or opening by the same neighbour: one who puts their key on invented messages elsewhere uses what is his. What
we asked for ourselves may be answered from anywhere. What was done also counts for the turn of the link that it came
by, which a burst would else make long.
"""

from cpython.ref cimport PyObject
from libc.string cimport memcmp, memcpy

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.forks cimport generation
from ygg_c.base.lru cimport Aging, aging_touch
from ygg_c.base.packet cimport packet_free, packet_new
from ygg_c.base.ratelimit cimport recent_is, recent_note, recent_pass
from ygg_c.base.sodium cimport wipe
from ygg_c.session.patience cimport (
    has_waited, is_awaited, is_settled, may_repeat, note_answered, note_repeated, note_turned, trust,
)
from ygg_c.session.ratchet cimport HANDSHAKE_AGAIN, HANDSHAKE_ANEW, HANDSHAKE_COPY, HANDSHAKE_LATER, HANDSHAKE_OLD
from ygg_c.session.remotes cimport remotes_add, remotes_move, remotes_remove, remotes_victim
from ygg_c.session.session cimport (
    HANDSHAKE_SIZE, OPEN_FORGED, OPEN_MALFORMED, OPEN_REPLAYED, OPENED, PAYLOAD_LARGEST, SESSION_ACK, SESSION_DUMMY,
    SESSION_INIT, SESSION_TRAFFIC, handshake_decode, handshake_encode, identity_init,
)

cdef uint64_t LIFETIME = 60 * SECOND            # of a session since something was received
cdef uint64_t RENEWED = 40 * SECOND             # of one in use; the end with the larger key waits a little longer
cdef uint64_t RENEWED_LATER = 48 * SECOND
cdef uint64_t ASK_INTERVAL = 4 * SECOND         # between questions which are in use
cdef uint64_t SEEK_INTERVAL = 40 * SECOND       # the same while there are connections of sessions that have lapsed
cdef uint64_t SEEK_LEAST = 60 * SECOND          # between Inits to the remote of one of these
cdef uint64_t SEEK_MOST = 960 * SECOND
cdef uint64_t OWED = 15 * SECOND                # until one who only sends is answered with a dummy
cdef uint64_t SWEEP_INTERVAL = 10 * SECOND
cdef uint64_t AGAIN_INTERVAL = SECOND           # between looks at which sessions to open payloads wait for
cdef uint64_t AGAIN_GAP = SECOND // 10          # and when there were more than one look may have repeated
cdef uint64_t REMEMBERED = 86400 * SECOND       # how long a session that has ended is remembered
cdef uint64_t RENEWED_INTERVAL = 5 * SECOND     # between announcements that a remote has started anew

# Microseconds of work, on a machine of the common kind.
cdef double COST_OPENED = 30                    # a box that does not open
cdef double COST_VERIFIED = 70                  # a signature that was checked
cdef double COST_ANSWERED = 250                 # keys made, an answer signed and boxed
cdef double COST_OPENING = 200                  # an Init to a stranger
cdef double COST_REPEATED = 130
cdef double HANDSHAKES_RATE = 200000            # in each second
cdef double HANDSHAKES_BURST = 40000
cdef double STRANGERS_RATE = 100000
cdef double STRANGERS_BURST = 20000

cdef enum:
    SAME_STAMP = 2 | 4          # how many seconds we have waited when an opening Init is repeated with the stamp it had
    PAYLOAD_DUMMY = 0           # a payload of this byte alone is overlooked
    DUMMY_SIZE = 1
    AGAIN_MOST = 100            # Inits repeated in one look: 13 ms of work
    SESSIONS_MOST = 32768
    QUIET_MOST = 4096           # sessions in which we have sent nothing

_COUNT_NAMES = (
    "malformed", "unknown_type", "handshake_forged", "handshake_old", "handshake_crossed", "handshake_limited",
    "replayed",
    "unknown_keys", "forged", "no_session", "init_limited", "ack_limited", "stranger_limited", "oversized", "unsealed",
    "expired", "evicted", "init_sent", "ack_sent", "opened", "renewed",
)


cdef class SessionTable:
    """All sessions of one identity; the owner overrides the upcalls."""

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        if len(secret) != 64:
            raise ValueError(f"secret must be 64 bytes, not {len(secret)}")
        self.made_in = generation
        identity_init(&self.me, <const uint8_t *><const char *>secret, group_password)
        self.random = Random() if random is None else random
        self._salt = self.random.u64()
        self._sessions = ByteMap(32, self._salt)
        self.openings = Openings(self.random, self._salt)
        self.lower = TrafficLower()
        self.upper = SessionUpper()
        self._again_at = self._ask_by = NEVER
        self.session_limit = SESSIONS_MOST
        self.quiet_limit = QUIET_MOST
        self._handshakes = Budget(HANDSHAKES_RATE, HANDSHAKES_BURST, self._salt)
        self._recoveries = Budget(STRANGERS_RATE, STRANGERS_BURST, self._salt)

    def __dealloc__(self):
        wipe(&self.me, sizeof(self.me))

    @property
    def opening_limit(self):
        """Sessions being opened at most."""
        return self.openings.limit

    @opening_limit.setter
    def opening_limit(self, size_t value):
        self.openings.limit = value

    cdef void _heard(self, Session session, bint answered) noexcept:
        self.lower.source_proven(session.key)
        if answered:
            self.lower.path_works(session.key)

    cdef Session _session(self, const uint8_t *key):
        cdef PyObject *found = self._sessions.get(key)
        return <Session>found if found != NULL else None

    cdef bint has_session(self, const uint8_t *key) noexcept:
        return self._sessions.get(key) != NULL

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
        opening = self.openings.open(0, key, True, self.now)
        self.openings.hold(opening, payload, self.now)
        self._again_at = min(self._again_at, self.now + AGAIN_INTERVAL)
        self._repeat_opening_init(opening)

    cdef void path_in(self, const uint8_t *key, bint held) noexcept:
        cdef Opening opening = self.openings.find(key)
        if opening is None or not opening.wanted:
            return
        if held:
            self.lower.introduce(key)
        elif opening.repeated != self.wall:
            opening.repeated = self.wall
            self._send_opening_init(opening, False)

    cdef int64_t traffic_in(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        cdef int kind = message[0] if size else SESSION_DUMMY
        if self.made_in != generation:
            return 0
        self._worked = 0
        if kind == SESSION_TRAFFIC:
            self._receive_traffic(origin, key, message, size)
        elif kind == SESSION_INIT or kind == SESSION_ACK:
            if size == HANDSHAKE_SIZE:
                self._receive_handshake(origin, key, message, kind)
            else:
                self.counts[COUNT_MALFORMED] += 1
        elif kind != SESSION_DUMMY:
            self.counts[COUNT_UNKNOWN_TYPE] += 1
        return <int64_t>self._worked

    # Handshakes

    cdef void _receive_handshake(self, uint64_t origin, const uint8_t *key, uint8_t *message, int kind) noexcept:
        cdef Handshake content
        cdef Session session = self._session(key)
        cdef Opening opening = self.openings.find(key) if session is None else None
        cdef Remote remote = session if session is not None else opening
        cdef bint known = remote is not None and (remote.origin == origin or (opening is not None and opening.wanted))
        cdef double cost = COST_OPENED
        if not self._handshakes.take(origin, key, known, COST_ANSWERED, self.now):
            self.counts[COUNT_HANDSHAKE_LIMITED] += 1
            return
        if handshake_decode(&content, message, &self.me, key) != 0:
            self.counts[COUNT_HANDSHAKE_FORGED] += 1
        elif remote is not None and kind == SESSION_INIT and self._crossed(remote, &content):
            self.counts[COUNT_HANDSHAKE_CROSSED] += 1
            cost = COST_VERIFIED
        elif session is None:
            self._begin(origin, key, &content, kind, opening)
            cost = COST_ANSWERED
        else:
            cost = COST_ANSWERED if self._take_handshake(session, origin, &content, kind) else COST_VERIFIED
        self._worked += cost
        if cost < COST_ANSWERED:
            self._handshakes.give_back(origin, key, COST_ANSWERED - cost, self.now)

    cdef bint _crossed(self, Remote remote, const Handshake *content) noexcept:
        return (remote.crossing and (remote.said == content.seq or is_awaited(remote, 2, self.now))
                and memcmp(self.me.key, remote.key, 32) < 0)

    # A handshake that makes a session.
    cdef void _begin(self, uint64_t origin, const uint8_t *key, const Handshake *content, int kind,
                     Opening opening) noexcept:
        cdef Session session = self._create(origin, key, content, opening)
        cdef Packet *payload
        cdef bint lapsed = opening is not None and opening.lapsed
        self._heard(session, kind == SESSION_ACK and session.proven)
        # Our Inits may have had no answer because the remote was away, which says nothing of how long an answer takes.
        if kind == SESSION_INIT:
            trust(session, 1)
        # Who sends an Ack to our Init knows the keys that it told.
        if kind == SESSION_INIT or opening is None:
            self._send_session_handshake(session, SESSION_ACK)
        if opening is not None:
            payload = self.openings.release(opening, self.now)
            while payload != NULL:
                self._seal(session, payload)
                payload = self.openings.release(opening, self.now)
            self.openings.drop(opening)
        if lapsed or recent_is(&self._ended, key, self._salt, self.now):
            self._tell_renewed(key)

    # A handshake in a session; True when it cost us an answer or a step.
    cdef bint _take_handshake(self, Session session, uint64_t origin, const Handshake *content, int kind) noexcept:
        cdef int judgement = session.judge(content)
        cdef bint settled = is_settled(session)
        cdef bint overlooked = session.crossing and memcmp(session.key, self.me.key, 32) < 0
        if judgement == HANDSHAKE_COPY and kind == SESSION_INIT and session.packets_received == session.opened_before:
            return self._answer_copy(session)
        if judgement == HANDSHAKE_OLD or judgement == HANDSHAKE_COPY:
            self.counts[COUNT_HANDSHAKE_OLD] += 1
            return False
        if kind == SESSION_INIT and has_waited(session, content.seq):
            trust(session, 1)
        # One who has started anew is answered at once; and of crossing Inits one must count.
        if (kind == SESSION_INIT and judgement == HANDSHAKE_LATER and not session.crossing
                and self.now - session.turned < session.ack_patience * SECOND):
            self.counts[COUNT_ACK_LIMITED] += 1
            return False
        session.accept(content, judgement, self.now)
        session.crossing = session.doubted = False
        if session.origin != origin:
            remotes_move(self._list_of(session), session, origin)
        aging_touch(&self._list_of(session).aging, &session.aging, self.now)
        self._heard(session, kind == SESSION_ACK)
        if judgement == HANDSHAKE_AGAIN:
            # The remote overlooks an Init of ours that crosses its own, and counts on an answer to that.
            return kind == SESSION_INIT and self._repeat_ack(session, overlooked)
        if kind == SESSION_INIT:
            self._send_session_handshake(session, SESSION_ACK)
            if judgement == HANDSHAKE_ANEW:
                trust(session, 1)
            elif not settled:
                note_answered(session)
                note_repeated(session)
        note_turned(session, self.now)
        if judgement == HANDSHAKE_ANEW:
            self._tell_renewed(session.key)
        return True

    cdef void _tell_renewed(self, const uint8_t *key) noexcept:
        if recent_pass(&self._told, key, self._salt, self.now, RENEWED_INTERVAL):
            self.counts[COUNT_RENEWED] += 1
            self.upper.session_renewed(key)

    cdef Session _create(self, uint64_t origin, const uint8_t *key, const Handshake *content, Opening opening):
        cdef Session session = Session.__new__(Session)
        memcpy(session.key, key, 32)
        session.origin = origin
        session.random = self.random
        session.since = self.now
        if opening is not None:
            session.start(content, &opening.current, &opening.next, self.now)
            memcpy(session.x_public, opening.x_public, 32)
            session.x_state = opening.x_state
            session.said = opening.said
            session.patience = opening.patience
            session.proven = content.seq >= opening.said
        else:
            session.start(content, NULL, NULL, self.now)
        session.turned = self.now
        if self._quiet.aging.count >= self.quiet_limit:
            self._evict(&self._quiet)
        self._sessions.put(key, session)
        remotes_add(&self._quiet, session, self.now)
        self.counts[COUNT_SESSION_OPENED] += 1
        self.upper.session_opened(key)
        return session

    # Traffic

    cdef void _receive_traffic(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        cdef PyObject *found = self._sessions.get(key)
        cdef Session session
        cdef uint8_t *payload
        cdef size_t payload_size
        cdef int result
        if found == NULL:
            self._receive_from_stranger(origin, key)
            return
        session = <Session>found
        result = session.open(message, size, self.now, &payload, &payload_size)
        if result == OPENED:
            aging_touch(&self._list_of(session).aging, &session.aging, self.now)
            if payload_size > DUMMY_SIZE and not session.owes:
                session.owes = True
                session.owes_since = self.now
            if session.answered:
                session.in_step = True
                trust(session, 2 * session.answered_after // SECOND)
            session.doubted = False
            self._heard(session, session.answered)
            self.upper.payload_in(session, payload, payload_size)
        elif result == OPEN_MALFORMED:
            self.counts[COUNT_MALFORMED] += 1
        elif result == OPEN_REPLAYED:
            self.counts[COUNT_REPLAYED] += 1
        else:
            self.counts[COUNT_FORGED if result == OPEN_FORGED else COUNT_UNKNOWN_KEYS] += 1
            # While payloads open, these are what was on its way when the keys changed, or made up.
            if self.now - session.aging.used >= SECOND:
                self._recover(origin, session)
            else:
                self.counts[COUNT_INIT_LIMITED] += 1

    # Anyone may have made up what does not open, in the names of all whose sessions rest.
    cdef void _recover(self, uint64_t origin, Session session) noexcept:
        is_settled(session)
        if not may_repeat(session, self.now, self.wall):
            self.counts[COUNT_INIT_LIMITED] += 1
        elif not self._recoveries.take(origin, session.key, session.origin == origin, COST_REPEATED, self.now):
            self.counts[COUNT_STRANGER_LIMITED] += 1
        else:
            self._worked += COST_REPEATED
            self._repeat_init(session)

    cdef void _receive_from_stranger(self, uint64_t origin, const uint8_t *key) noexcept:
        cdef Opening opening = self.openings.find(key)
        cdef bint known = opening is not None
        cdef double cost = COST_REPEATED if known else COST_OPENING
        self.counts[COUNT_NO_SESSION] += 1
        if known and not may_repeat(opening, self.now, self.wall):
            self.counts[COUNT_INIT_LIMITED] += 1
        elif not self._recoveries.take(origin, key, False, cost, self.now):
            self.counts[COUNT_STRANGER_LIMITED] += 1
        else:
            self._worked += cost
            self._repeat_opening_init(opening if known else self.openings.open(origin, key, False, self.now))

    cdef void _seal(self, Session session, Packet *payload) noexcept:
        session.owes = False
        if session.packets_sent == 0:
            self._use(session)
        if session.seal(payload) == 0:
            self.lower.send_message(session.key, payload)
            if not session.proven and self.wall > session.said + 1:
                self._repeat_init(session)
        else:
            self.counts[COUNT_UNSEALED] += 1
            packet_free(payload)

    # Inits and Acks that nothing new has called for

    cdef void _repeat_init(self, Session session) noexcept:
        is_settled(session)
        if may_repeat(session, self.now, self.wall):
            self._send_session_handshake(session, SESSION_INIT)
            note_repeated(session)
        else:
            self.counts[COUNT_INIT_LIMITED] += 1

    # The remote repeats what it said, as our Ack is lost or on its way.
    cdef bint _repeat_ack(self, Session session, bint awaited) noexcept:
        if not awaited and not may_repeat(session, self.now, self.wall):
            self.counts[COUNT_ACK_LIMITED] += 1
            return False
        self._send_session_handshake(session, SESSION_ACK)
        note_repeated(session)
        return True

    # Its sender has no session, or it would have said something in it: what we answered is lost, or on its way.
    cdef bint _answer_copy(self, Session session) noexcept:
        if not may_repeat(session, self.now, self.wall):
            self.counts[COUNT_ACK_LIMITED] += 1
            return False
        self._send_session_handshake(session, SESSION_ACK, True)
        note_repeated(session)
        return True

    cdef void _repeat_opening_init(self, Opening opening) noexcept:
        if may_repeat(opening, self.now, self.wall):
            self._send_opening_init(opening, opening.patience & SAME_STAMP)
            note_repeated(opening)
        else:
            self.counts[COUNT_INIT_LIMITED] += 1

    cdef void _send_session_handshake(self, Session session, int kind, bint same=False) noexcept:
        cdef Handshake content
        if not same:
            session.said = self.wall
        session.describe(&content)
        content.seq = session.said
        note_turned(session, self.now)
        self._send_handshake(session, &content, kind)

    cdef void _send_opening_init(self, Opening opening, bint same) noexcept:
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

    # Ends

    cdef RemoteList *_list_of(self, Session session) noexcept:
        return &self._live if session.used else &self._quiet

    # Something of ours is sent in it for the first time.
    cdef void _use(self, Session session) noexcept:
        if session.used:
            return
        remotes_remove(&self._quiet, session)
        session.used = True
        if self._live.aging.count >= self.session_limit:
            self._evict(&self._live)
        remotes_add(&self._live, session, self.now)

    cdef void returned(self, const uint8_t *key) noexcept:
        cdef Session session = self._session(key)
        cdef Remote remote = session if session is not None else self.openings.find(key)
        if remote is not None:
            remote.doubted = True
            # Both ends may have lived on, and one exchange does for both.
            self._ask_by = min(self._ask_by, self.now + (0 if memcmp(self.me.key, key, 32) < 0 else 2 * SECOND))
            self._ask_at = min(self._ask_at, self.now + SECOND)

    cdef void links_changed(self) noexcept:
        cdef Aging *entry = self.openings.wanted.aging.oldest
        while entry != NULL:
            (<Opening>entry.owner).patience = 0
            (<Opening>entry.owner).doubted = True
            entry = entry.newer
            self._again_at = self.now
        if self._ask_by != NEVER:
            self._ask_by = self._ask_at = self.now

    cdef void in_use(self, const uint8_t *key) noexcept:
        cdef Session session = self._session(key)
        if self._asked >= AGAIN_MOST:
            self._ask_at = self.now + AGAIN_GAP         # the others soon
            self._ask_by = self.now
        elif session is not None:
            self._renew(session)
        else:
            self._seek(key)

    cdef void _renew(self, Session session) noexcept:
        cdef uint64_t idle = self.now - session.aging.used
        cdef bint due = idle >= (RENEWED if memcmp(self.me.key, session.key, 32) < 0 else RENEWED_LATER)
        if session.doubted:
            self._ask_by = min(self._ask_by, self.now + ASK_INTERVAL)
        if (due or session.doubted) and may_repeat(session, self.now, self.wall):
            self._asked += 1
            self._repeat_init(session)

    # The session has lapsed. Ask whether the remote is there again: after a minute, or as long again as it has been
    # away.
    cdef void _seek(self, const uint8_t *key) noexcept:
        cdef Opening opening = self.openings.find(key)
        cdef bint anew = opening is None
        if anew and self.openings.is_crowded():
            return
        self._ask_by = min(self._ask_by, self.now + SEEK_INTERVAL)
        opening = self.openings.open(0, key, True, self.now)        # it does not expire while it is sought
        opening.lapsed = True
        if anew or opening.doubted or (
                self.now - opening.turned >= min(max(opening.turned - opening.since, SEEK_LEAST), SEEK_MOST)):
            opening.doubted = False
            self._asked += 1
            self._send_opening_init(opening, False)

    # Ask which sessions are in use when one is about to lapse, or when there is another reason.
    cdef uint64_t _ask(self) noexcept:
        cdef uint64_t due = self._ask_by
        if self._live.aging.count:
            due = min(due, self._live.aging.oldest.used + RENEWED)
        if self.now >= max(due, self._ask_at):
            self._ask_at = self.now + ASK_INTERVAL
            self._ask_by = NEVER
            self._asked = 0
            self.upper.name_remotes()
            due = self._ask_by
            if self._live.aging.count:
                due = min(due, self._live.aging.oldest.used + RENEWED)
        return max(due, self._ask_at) if due != NEVER else NEVER

    cdef uint64_t poll(self) noexcept:
        cdef uint64_t deadline = min(self._expire(&self._live), self._expire(&self._quiet))
        return min(min(deadline, min(self._ask(), self._sweep())), min(self.openings.poll(self.now), self._ask_again()))

    # Repeat the Inits of sessions for which payloads wait: those who sent these may say nothing more until they are
    # answered.
    cdef uint64_t _ask_again(self) noexcept:
        cdef Aging *entry = self.openings.wanted.aging.oldest
        cdef Opening opening
        cdef bint waits = False
        cdef int repeated = 0
        if entry == NULL or self.now < self._again_at:
            return self._again_at if entry != NULL else NEVER
        self._again_at = self.now + AGAIN_INTERVAL
        while entry != NULL:
            opening = <Opening>entry.owner
            entry = entry.newer
            if self.openings.waits(opening, self.now):
                waits = True
                if may_repeat(opening, self.now, self.wall):
                    if repeated == AGAIN_MOST:
                        self._again_at = self.now + AGAIN_GAP
                        break
                    self._repeat_opening_init(opening)
                    repeated += 1
        if not waits:
            self._again_at = NEVER
        return self._again_at

    # Answer those who send and are not answered.
    cdef void _show_life(self, RemoteList *list) noexcept:
        cdef Aging *entry = list.aging.newest
        cdef Session session
        cdef Packet *dummy
        while entry != NULL and self.now - entry.used < SWEEP_INTERVAL + SECOND:
            session = <Session>entry.owner
            entry = entry.older
            dummy = packet_new(DUMMY_SIZE) if session.owes and self.now - session.owes_since >= OWED else NULL
            if dummy != NULL:
                dummy.data[0] = PAYLOAD_DUMMY
                dummy.size = DUMMY_SIZE
                self._seal(session, dummy)

    cdef uint64_t _sweep(self) noexcept:
        if self._live.aging.count == 0 and self._quiet.aging.count == 0:
            return NEVER
        if self.now >= self._sweep_at:
            self._sweep_at = self.now + SWEEP_INTERVAL
            self._show_life(&self._live)
            self._show_life(&self._quiet)
        return self._sweep_at

    cdef uint64_t _expire(self, RemoteList *list) noexcept:
        while list.aging.count and self.now - list.aging.oldest.used >= LIFETIME:
            self.counts[COUNT_EXPIRED] += 1
            self._drop(<Session>list.aging.oldest.owner)
        return list.aging.oldest.used + LIFETIME if list.aging.count else NEVER

    cdef void _evict(self, RemoteList *list) noexcept:
        self.counts[COUNT_EVICTED] += 1
        self._drop(<Session>remotes_victim(list))

    cdef void _drop(self, Session session) noexcept:
        if session.used and session.packets_received:
            recent_note(&self._ended, session.key, self._salt, self.now, REMEMBERED)
            self._ask_by = min(self._ask_by, self.now)      # it may have connections
        remotes_remove(self._list_of(session), session)
        self._sessions.discard(session.key)
        self.upper.session_closed(session.key)

    cdef void clear(self) noexcept:
        while self._live.aging.count:
            self._drop(<Session>self._live.aging.oldest.owner)
        while self._quiet.aging.count:
            self._drop(<Session>self._quiet.aging.oldest.owner)
        self.openings.clear()
        self._ask_by = NEVER

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
        result = {name: self.counts[index] for index, name in enumerate(_COUNT_NAMES)}
        result["expired"] += self.openings.expired
        result["evicted"] += self.openings.evicted
        result["payloads_dropped"] = self.openings.dropped
        return result
