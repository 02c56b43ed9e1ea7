"""Verification: which signatures are looked at, and what happens to a message until its own is.

Records of the tree, answers to lookups, and answers to our own questions are signed. A verification takes longer than
all else that a message asks for, so there is one budget of them for all links together. A record for which there is
nothing left, or an answer that we want, waits beside its link (see link/deferred.pxd), which goes on with what comes
behind it: a neighbour that is told a thousand records by another must not be deaf meanwhile. What waits goes first, and
answers leave half of the room to records: strangers far away can have us verify answers that they made up, by whichever
neighbour. Only when there is no room for more records does the link itself wait.
"""

from ygg_c.base.clock cimport MS, NEVER
from ygg_c.link.deferred cimport PARKED_MAX, WAITING_ALL, WAITING_MAX
from ygg_c.link.link cimport HELD, ROUND_HELD, SLICE_LEAST
from ygg_c.link.wire cimport (
    ANNOUNCE, OK, PATH_NOTIFY, Announce, Routed, decode_announce, decode_notify, error_name,
)

cdef double VERIFY_RATE = 5000                  # signatures a second: a quarter of a processor
cdef double VERIFY_BURST = 200
# a link that has used up its share waits until it has so much of it again
cdef double VERIFY_BATCH = 20
cdef uint64_t VERIFY_GAP = 5 * MS               # ns that it waits at least


cdef Budget new_budget(Random random):
    return Budget(VERIFY_RATE, VERIFY_BURST, random.u64())


cdef class Verification:
    """What one router has to verify."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, Pathfinder pathfinder not None):
        self.host = host
        self.tree = tree
        self.pathfinder = pathfinder
        self.waiting = []

    cdef int signed_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        # What waits goes first. Records connect to those before them, and answers that strangers make up would leave
        # them nothing.
        cdef int code = HELD if link.waits else self._verify(link, kind, body, size)
        if code != HELD:
            self._see_news()
            return code
        if self._park(link, kind, body, size):
            return OK
        if kind == PATH_NOTIFY:
            self.pathfinder.checks_limited += 1
            return OK
        link.hold(self.host.now + VERIFY_GAP)
        return HELD

    cdef int _verify(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef Announce announce
        cdef Routed notify
        if kind == ANNOUNCE:
            return decode_announce(body, size, &announce) or self.tree.announce_in(link, &announce)
        return decode_notify(body, size, &notify) or self.pathfinder.notify_in(link, &notify)

    # The records that lead to a root are worth nothing until the last has come: what waits with them is waited for.
    cdef void _see_news(self) noexcept:
        if self.tree.news:
            self.host.want_maintenance(self.host.now)

    cdef bint _park(self, Link link, int kind, const uint8_t *body, size_t size) noexcept:
        cdef size_t most = min(<size_t>WAITING_MAX,
                               max(<size_t>PARKED_MAX, <size_t>(WAITING_ALL // (1 + len(self.waiting)))))
        if kind == PATH_NOTIFY:
            most //= 2          # the rest is for records, without room for which the link itself waits
        if not link.parked.put(kind, body, size, most):
            return False
        self.announces_limited += kind == ANNOUNCE
        if not link.waits:
            self._await(link, self.host.now + VERIFY_GAP)
        return True

    cdef void _await(self, Link link, uint64_t until) noexcept:
        link.waits = True
        link.parked.until = until
        self.waiting.append(link)
        self.host.due = min(self.host.due, until)

    cdef void take_parked(self, Link link, int64_t slice) noexcept:
        cdef LinkHost host = self.host
        cdef int64_t end = host.work - slice
        cdef const uint8_t *message
        cdef uint64_t pause
        cdef size_t size
        cdef int code
        link.waits = False
        link.parked.until = NEVER
        while True:
            message = link.parked.first(&size)
            if message == NULL:
                self._see_news()
                return
            if host.work <= end:
                self._await(link, host.now)
                return
            host.work -= 1
            code = self._verify(link, message[0], message + 1, size - 1)
            if code == HELD:
                pause = host.verifications.wait(link.order, True, VERIFY_BATCH, host.now)
                self._await(link, host.now + max(VERIFY_GAP, pause))
                return
            if code:
                link.fail(error_name(code))
                return
            link.parked.drop()

    cdef void take_all_parked(self) noexcept:
        cdef list waiting = self.waiting
        cdef list early = []            # those whose time has not come, or for which no work was left
        cdef Link link
        cdef int64_t slice
        if not waiting:
            return
        slice = max(<int64_t>SLICE_LEAST, <int64_t>(ROUND_HELD // len(waiting)))
        self.waiting = []
        for link in waiting:
            if link.closed or link.error:
                continue
            if link.parked.until > self.host.now or self.host.work <= 0:
                early.append(link)
            else:
                self.take_parked(link, slice)
        self.waiting = early + self.waiting
