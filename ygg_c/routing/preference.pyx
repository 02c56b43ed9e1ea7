"""What a node prefers; see preference.pxd."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from ygg_c.base.clock cimport NEVER
from ygg_c.routing.records cimport DEPTH_MAX, Record, Walk

# What a parent offers: a way to a root.
cdef struct Offer:
    uint8_t root[32]
    uint64_t cost               # hops times ms of the first one


cdef Link best_link(Neighbour neighbour):
    cdef Link link
    cdef Link best = None
    for link in neighbour.links:
        if best is None or _is_preferred(link, best):
            best = link
    return best


cdef inline bint _is_preferred(Link link, Link other) noexcept:
    if link.doubted != other.doubted:
        return other.doubted
    return link.priority < other.priority or link.priority == other.priority and _is_better(link, other)


cdef inline bint _is_better(Link link, Link other) noexcept:
    cdef uint64_t delay = link.delay_now()
    cdef uint64_t other_delay = other.delay_now()
    return delay < other_delay or delay == other_delay and link.order < other.order


cdef uint64_t _cost_by(Neighbour neighbour, uint64_t depth) noexcept:
    cdef uint64_t cost = NEVER
    cdef Link link
    for link in neighbour.links:
        cost = min(cost, depth * link.cost_now())
    return cost


cdef Neighbour best_parent(Records records, Neighbour current, bint renewing):
    cdef Neighbour neighbour
    cdef Offer held, offered
    cdef Neighbour best = _now(records, current, &held)
    for neighbour in records.neighbours:
        if _offers(records, neighbour, &offered) and _is_worth_it(&offered, &held, best, current, renewing):
            best = neighbour
            held = offered
    return best


# Our parent as long as it leads to a smaller root than we are, and that way; else ourselves.
cdef Neighbour _now(Records records, Neighbour current, Offer *held):
    cdef Walk walk
    memcpy(held.root, records.host.key, 32)
    held.cost = NEVER
    if current is None:
        return None
    records.walk(records.host.key, &walk)
    if memcmp(walk.root, records.host.key, 32) >= 0:
        return None
    memcpy(held.root, walk.root, 32)
    held.cost = _cost_by(current, walk.depth)
    return current


# Whether a neighbour may be our parent: it has signed that it is, and its own way to a root does not lead through us.
cdef bint _offers(Records records, Neighbour neighbour, Offer *offered) noexcept:
    cdef Walk walk
    if not neighbour.answered or records.record(neighbour.key) is None:
        return False
    records.walk(neighbour.key, &walk)
    if walk.through_us or walk.depth >= DEPTH_MAX:
        return False
    memcpy(offered.root, walk.root, 32)
    offered.cost = _cost_by(neighbour, walk.depth)
    return True


# A smaller root is better. To the same one a way is taken in place of our parent's only when our record is renewed
# anyway, and for half the cost: each change moves all nodes below us.
cdef bint _is_worth_it(const Offer *offered, const Offer *held, Neighbour best, Neighbour current,
                       bint renewing) noexcept:
    cdef int order = memcmp(offered.root, held.root, 32)
    if order or best is None:
        return order < 0
    if best is current:
        return renewing and 2 * offered.cost < held.cost
    return offered.cost < held.cost


cdef bint is_cut_off(Records records) noexcept:
    cdef Neighbour neighbour
    cdef Record root
    cdef Walk walk
    if records.own is None or not records.neighbours:
        return False
    for neighbour in records.neighbours:
        records.walk(neighbour.key, &walk)
        root = records.record(walk.root)
        if root is None:
            return False
        if not walk.through_us and (memcmp(root.key, records.host.key, 32) < 0
                                    or memcmp(root.key, root.parent, 32) != 0):
            return False
    return True
