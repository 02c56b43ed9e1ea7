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

When a handshake may be repeated is in patience.pyx; how sessions are kept alive, and lapse, in living.pyx; how
handshakes are made and sessions end in known.pyx.

The reference repeats the Init that opens a session for every payload it has, and always with the stamp it had: were a
second one overlooked, an Ack that is lost would cost it a minute, until we have forgotten the session. So while nothing
opens, a copy of the last Init is answered with a copy of our Ack, after 1, 2, 4 … 32 seconds too. Who has had the
first overlooks the second.

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

from ygg_c.base.clock cimport SECOND
from ygg_c.base.forks cimport generation
from ygg_c.base.lru cimport aging_touch
from ygg_c.base.packet cimport packet_free
from ygg_c.base.ratelimit cimport recent_is, recent_pass
from ygg_c.base.sodium cimport Random
from ygg_c.session.known cimport (
    COUNT_ACK_LIMITED, COUNT_FORGED, COUNT_HANDSHAKE_CROSSED, COUNT_HANDSHAKE_FORGED, COUNT_HANDSHAKE_LIMITED,
    COUNT_HANDSHAKE_OLD, COUNT_INIT_LIMITED, COUNT_MALFORMED, COUNT_NO_SESSION, COUNT_OVERSIZED, COUNT_RENEWED,
    COUNT_REPLAYED, COUNT_SESSION_OPENED, COUNT_STRANGER_LIMITED, COUNT_UNKNOWN_KEYS, COUNT_UNKNOWN_TYPE,
)
from ygg_c.session.living cimport DUMMY_SIZE
from ygg_c.session.patience cimport (
    has_waited, is_awaited, is_settled, may_repeat, note_answered, note_repeated, note_turned, trust,
)
from ygg_c.session.ratchet cimport HANDSHAKE_AGAIN, HANDSHAKE_ANEW, HANDSHAKE_COPY, HANDSHAKE_LATER, HANDSHAKE_OLD
from ygg_c.session.remotes cimport remotes_add, remotes_move
from ygg_c.session.session cimport (
    HANDSHAKE_SIZE, OPEN_FORGED, OPEN_MALFORMED, OPEN_REPLAYED, OPENED, PAYLOAD_LARGEST, SESSION_ACK, SESSION_DUMMY,
    SESSION_INIT, SESSION_TRAFFIC, handshake_decode,
)

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


cdef class SessionTable(LivingSessions):
    """All sessions of one identity; the owner overrides the upcalls."""

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        LivingSessions.__init__(self, secret, group_password, random)
        self._handshakes = Budget(HANDSHAKES_RATE, HANDSHAKES_BURST, self.salt)
        self._recoveries = Budget(STRANGERS_RATE, STRANGERS_BURST, self.salt)

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
        found = self.sessions.get(key)
        if found != NULL:
            self.seal(<Session>found, payload)
            return
        opening = self.openings.open(0, key, True, self.now)
        self.openings.hold(opening, payload, self.now)
        self.ask_again_soon()
        self.repeat_opening_init(opening)

    cdef void path_in(self, const uint8_t *key, bint held) noexcept:
        cdef Opening opening = self.openings.find(key)
        if opening is None or not opening.wanted:
            return
        if held:
            self.lower.introduce(key)
        elif opening.repeated != self.wall:
            opening.repeated = self.wall
            self.send_opening_init(opening, False)

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

    cdef void _receive_handshake(self, uint64_t origin, const uint8_t *key, uint8_t *message, int kind) noexcept:
        cdef Handshake content
        cdef Session session = self.session_of(key)
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
        self.heard(session, kind == SESSION_ACK and session.proven)
        # Our Inits may have had no answer because the remote was away, which says nothing of how long an answer takes.
        if kind == SESSION_INIT:
            trust(session, 1)
        # Who sends an Ack to our Init knows the keys that it told.
        if kind == SESSION_INIT or opening is None:
            self.send_session_handshake(session, SESSION_ACK)
        if opening is not None:
            payload = self.openings.release(opening, self.now)
            while payload != NULL:
                self.seal(session, payload)
                payload = self.openings.release(opening, self.now)
            self.openings.drop(opening)
        if lapsed or recent_is(&self.ended, key, self.salt, self.now):
            self._tell_renewed(key)

    # A handshake in a session; True when it cost us an answer or a step.
    cdef bint _take_handshake(self, Session session, uint64_t origin, const Handshake *content, int kind) noexcept:
        cdef int judgement = session.judge(content)
        cdef bint settled = is_settled(session)
        cdef bint overlooked = session.crossing and memcmp(session.key, self.me.key, 32) < 0
        if judgement == HANDSHAKE_COPY and kind == SESSION_INIT and session.packets_received == session.opened_before:
            return self.answer_copy(session)
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
            remotes_move(self.list_of(session), session, origin)
        aging_touch(&self.list_of(session).aging, &session.aging, self.now)
        self.heard(session, kind == SESSION_ACK)
        if judgement == HANDSHAKE_AGAIN:
            # The remote overlooks an Init of ours that crosses its own, and counts on an answer to that.
            return kind == SESSION_INIT and self.repeat_ack(session, overlooked)
        if kind == SESSION_INIT:
            self.send_session_handshake(session, SESSION_ACK)
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
        if recent_pass(&self._told, key, self.salt, self.now, RENEWED_INTERVAL):
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
        if self.quiet.aging.count >= self.quiet_limit:
            self.evict(&self.quiet)
        self.sessions.put(key, session)
        remotes_add(&self.quiet, session, self.now)
        self.counts[COUNT_SESSION_OPENED] += 1
        self.upper.session_opened(key)
        return session

    cdef void _receive_traffic(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        cdef PyObject *found = self.sessions.get(key)
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
            aging_touch(&self.list_of(session).aging, &session.aging, self.now)
            if payload_size > DUMMY_SIZE and not session.owes:
                session.owes = True
                session.owes_since = self.now
            if session.answered:
                session.in_step = True
                trust(session, 2 * session.answered_after // SECOND)
            session.doubted = False
            self.heard(session, session.answered)
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
            self.repeat_init(session)

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
            self.repeat_opening_init(opening if known else self.openings.open(origin, key, False, self.now))
