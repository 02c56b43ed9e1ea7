"""Maintenance: what a router does of itself, whatever arrives.

It chooses a parent, tells neighbours what they lack of the tree, and sends filters that have changed. It is due every
second (the tick, by which delays that are part of the protocol are counted), and early when something has happened that
it may act on: nodes that wait for the tick to pass on what they hear need a second a hop to find each other. Strangers
cause such events at will, so there is a gap after each time and early ones are counted out: what exceeds a short burst
is handled at a few a second, five times what the tick alone would do.
"""

from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.base.ratelimit cimport bucket_init, bucket_take
from ygg_c.link.link cimport Link

cdef uint64_t TICK = SECOND
cdef uint64_t GAP = 10 * MS                     # ns after each, so that what comes together is handled together
cdef uint64_t EARLY_RATE = 4                    # early ones a second, once the burst is used up
cdef uint64_t EARLY_BURST = 10


cdef class Maintenance:
    """The periodic work of one router."""

    def __cinit__(self, LinkHost host not None, Tree tree not None, Reach reach not None,
                  Pathfinder pathfinder not None, list links not None):
        self.host = host
        self.tree = tree
        self.reach = reach
        self.pathfinder = pathfinder
        self.links = links
        self._early_at = NEVER
        bucket_init(&self._early, EARLY_RATE, EARLY_BURST, 0)

    cdef void want(self, uint64_t when) noexcept:
        self._early_at = min(self._early_at, max(when, self._early_from))
        self.host.due = min(self.host.due, self._early_at)
        self.host.want_turn()

    cdef uint64_t run(self) noexcept:
        cdef uint64_t now = self.host.now
        if now >= self._tick_at:
            self._tick()
        elif now >= self._early_at:
            self._run_early()
        if now >= self.tree.gossip.tell_at:
            self.tree.gossip.tell(self.tree)
        if now >= self.pathfinder.answers.introduce_at:
            self.pathfinder.answers.send_introductions()
        return min(min(self.tree.gossip.tell_at, self.pathfinder.answers.introduce_at),
                   min(self._tick_at, self._early_at))

    cdef void _run_early(self) noexcept:
        if bucket_take(&self._early, self.host.now):
            self.early += 1
            self._run_all(False)
        else:
            self.limited += 1
            self._early_at = self._early_from = self.host.now + TICK // EARLY_RATE

    cdef void _run_all(self, bint tick) noexcept:
        self._early_at = NEVER
        self._early_from = self.host.now + GAP
        self.tree.maintain()
        self.reach.maintain(tick)
        self.pathfinder.maintain()

    cdef void _tick(self) noexcept:
        cdef uint64_t now = self.host.now
        cdef Link link
        self._run_all(True)
        for link in self.links:
            link.measure(now - self._ticked)
        self._ticked = now
        self._tick_at = now + TICK
