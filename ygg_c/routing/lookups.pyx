"""The lookups that a node sends out; see lookups.pxd."""

from libc.string cimport memcpy

from ygg_c.base.clock cimport MS, SECOND
from ygg_c.link.wire cimport PATH_MAX, path_put

cdef uint64_t WANTED = 60 * SECOND              # ns of a rumor without a lookup
cdef uint64_t OVERDUE_AFTER = 100 * MS          # ns without an answer for a path that goes on being broken; it doubles
cdef enum:
    REPEATS_MAX = 4                             # of a lookup for good reason, between two of those


cdef class Lookups:
    """The lookups of one node."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, Reach reach not None, Location location not None,
                  Rumors rumors not None):
        self.host = host
        self.tree = tree
        self.reach = reach
        self.location = location
        self.rumors = rumors

    cdef bint want(self, const uint8_t *dest, bint fresh, bint urgent) noexcept:
        cdef uint64_t now = self.host.now
        cdef Rumor rumor = self.rumors.find(dest)
        cdef bint known = rumor is not None
        if not known:
            rumor = self.rumors.add(dest)
            self.rumors.live(rumor, now + WANTED)
        if not self.tree.neighbours or (known and not rumor.answered and now - rumor.sent >= LOOKUP_INTERVAL):
            self.host.no_way()
        memcpy(rumor.wanted, dest, 32)
        rumor.answered = False
        if fresh or (known and now - rumor.sent < LOOKUP_INTERVAL):
            if not urgent or rumor.repeats >= REPEATS_MAX:
                return False
            rumor.repeats += 1
        else:
            rumor.repeats = 0
            rumor.sent = now
            self.rumors.live(rumor, now + WANTED)
        self._look(rumor)
        return True

    cdef void _look(self, Rumor rumor) noexcept:
        cdef uint8_t body[64 + PATH_MAX]
        cdef uint64_t *ports
        cdef size_t count = self.tree.own_coords(&ports)
        cdef uint8_t *end = path_put(body + 64, ports, count)
        memcpy(body, self.host.key, 32)
        memcpy(body + 32, rumor.wanted, 32)
        rumor.place = self.location.place()
        rumor.looked = self.host.now
        rumor.asked = self.reach.multicast(body, end - body, None, self.host.key, rumor.wanted)

    # Whether the last lookup went by filters that did not lead there any more, as it seems.
    cdef bint is_overdue(self, const uint8_t *dest) noexcept:
        cdef Rumor rumor = self.rumors.find(dest)
        return rumor is not None and self.host.now - rumor.looked >= OVERDUE_AFTER << rumor.repeats

    cdef void look_again(self) noexcept:
        cdef uint64_t place = self.location.place()
        cdef Rumor rumor
        cdef size_t leads
        for rumor in self.rumors.all:
            if rumor.answered or rumor.repeats >= REPEATS_MAX:
                continue
            leads = self.reach.leads(&rumor.probe)
            if leads > rumor.asked or (leads and rumor.place != place):
                rumor.repeats += 1
                self._look(rumor)
