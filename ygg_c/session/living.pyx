"""How sessions are kept alive, and how they lapse; see living.pxd.

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
"""

from libc.string cimport memcmp

from ygg_c.base.clock cimport NEVER, SECOND
from ygg_c.base.lru cimport Aging
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.base.sodium cimport Random
from ygg_c.session.openings cimport Opening
from ygg_c.session.patience cimport may_repeat
from ygg_c.session.session cimport Remote

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

cdef enum:
    PAYLOAD_DUMMY = 0           # a payload of this byte alone is overlooked
    AGAIN_MOST = 100            # Inits repeated in one look: 13 ms of work


cdef class LivingSessions(KnownSessions):
    """The sessions of one identity, and what keeps them alive."""

    def __init__(self, bytes secret not None, bytes group_password=b"", Random random=None):
        KnownSessions.__init__(self, secret, group_password, random)
        self._again_at = NEVER

    cdef void ask_again_soon(self) noexcept:
        self._again_at = min(self._again_at, self.now + AGAIN_INTERVAL)

    cdef void returned(self, const uint8_t *key) noexcept:
        cdef Session session = self.session_of(key)
        cdef Remote remote = session if session is not None else self.openings.find(key)
        if remote is not None:
            remote.doubted = True
            # Both ends may have lived on, and one exchange does for both.
            self.ask_by = min(self.ask_by, self.now + (0 if memcmp(self.me.key, key, 32) < 0 else 2 * SECOND))
            self._ask_at = min(self._ask_at, self.now + SECOND)

    cdef void links_changed(self) noexcept:
        cdef Aging *entry = self.openings.wanted.aging.oldest
        while entry != NULL:
            (<Opening>entry.owner).patience = 0
            (<Opening>entry.owner).doubted = True
            entry = entry.newer
            self._again_at = self.now
        if self.ask_by != NEVER:
            self.ask_by = self._ask_at = self.now

    cdef void in_use(self, const uint8_t *key) noexcept:
        cdef Session session = self.session_of(key)
        if self._asked >= AGAIN_MOST:
            self._ask_at = self.now + AGAIN_GAP         # the others soon
            self.ask_by = self.now
        elif session is not None:
            self._renew(session)
        else:
            self._seek(key)

    cdef void _renew(self, Session session) noexcept:
        cdef uint64_t idle = self.now - session.aging.used
        cdef bint due = idle >= (RENEWED if memcmp(self.me.key, session.key, 32) < 0 else RENEWED_LATER)
        if session.doubted:
            self.ask_by = min(self.ask_by, self.now + ASK_INTERVAL)
        if (due or session.doubted) and may_repeat(session, self.now, self.wall):
            self._asked += 1
            self.repeat_init(session)

    # The session has lapsed. Ask whether the remote is there again: after a minute, or as long again as it has been
    # away.
    cdef void _seek(self, const uint8_t *key) noexcept:
        cdef Opening opening = self.openings.find(key)
        cdef bint anew = opening is None
        if anew and self.openings.is_crowded():
            return
        self.ask_by = min(self.ask_by, self.now + SEEK_INTERVAL)
        opening = self.openings.open(0, key, True, self.now)        # it does not expire while it is sought
        opening.lapsed = True
        if anew or opening.doubted or (
                self.now - opening.turned >= min(max(opening.turned - opening.since, SEEK_LEAST), SEEK_MOST)):
            opening.doubted = False
            self._asked += 1
            self.send_opening_init(opening, False)

    # Ask which sessions are in use when one is about to lapse, or when there is another reason.
    cdef uint64_t _ask(self) noexcept:
        cdef uint64_t due = self.ask_by
        if self.live.aging.count:
            due = min(due, self.live.aging.oldest.used + RENEWED)
        if self.now >= max(due, self._ask_at):
            self._ask_at = self.now + ASK_INTERVAL
            self.ask_by = NEVER
            self._asked = 0
            self.upper.name_remotes()
            due = self.ask_by
            if self.live.aging.count:
                due = min(due, self.live.aging.oldest.used + RENEWED)
        return max(due, self._ask_at) if due != NEVER else NEVER

    cdef uint64_t poll(self) noexcept:
        cdef uint64_t deadline = min(self.expire(&self.live), self.expire(&self.quiet))
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
                    self.repeat_opening_init(opening)
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
                self.seal(session, dummy)

    cdef uint64_t _sweep(self) noexcept:
        if self.live.aging.count == 0 and self.quiet.aging.count == 0:
            return NEVER
        if self.now >= self._sweep_at:
            self._sweep_at = self.now + SWEEP_INTERVAL
            self._show_life(&self.live)
            self._show_life(&self.quiet)
        return self._sweep_at
