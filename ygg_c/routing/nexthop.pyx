"""Greedy forwarding (protocol 0.5, greedy next hop).

A packet carries its destination's coordinates and goes by any link, of the tree or not, whose far end is nearer to them
than we are. Each hop must be strictly nearer than the last: loops cannot happen, however stale anyone's knowledge of
the tree is.

Coordinates mean something within one tree only. A neighbour that has another root, as each has that has just started,
counts as near to the root and would attract what is for others; it is taken only where no neighbour of our tree is
nearer than we are.

What was found stays valid until the tree changes.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from ygg_c.base.mix cimport mix
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport PATH_PORTS_MAX, path_ports
from ygg_c.routing.records cimport Record
from ygg_c.routing.preference cimport best_link


cdef inline uint64_t _distance(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count) noexcept nogil:
    cdef size_t common = 0
    while common < a_count and common < b_count and a[common] == b[common]:
        common += 1
    return a_count + b_count - 2 * common


cdef class NextHops:
    """The next hops of one node."""

    def __cinit__(self, LinkHost host not None, Tree tree not None):
        self.tree = tree
        self._salt = host.random.u64()
        self._slots = <HopSlot *>calloc(HOP_SLOTS, sizeof(HopSlot))
        if self._slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._slots)

    cdef void find(self, const uint8_t *path, size_t size, Hop *hop) noexcept:
        cdef HopSlot *slot
        cdef uint64_t code = self._salt
        cdef size_t index
        if size > HOP_PATH_MAX:
            self.search(path, size, 0, hop)
            return
        for index in range(size):
            code = mix(code ^ path[index])
        slot = &self._slots[(code >> 32) & (HOP_SLOTS - 1)]
        if slot.generation != self.tree.generation or slot.size != size or memcmp(slot.path, path, size) != 0:
            self.search(path, size, 0, &slot.hop)
            slot.generation = self.tree.generation
            slot.size = size
            memcpy(slot.path, path, size)
        hop[0] = slot.hop

    # What is for a neighbour goes to it at once, whatever the path and the tree say. A watermark of zero ends its way
    # there: no node passes that on, so that it cannot loop.
    cdef void towards(self, const uint8_t *key, const uint8_t *path, size_t size, Hop *hop) noexcept:
        cdef Link link = self.tree.link_to(key)
        if link is None:
            self.find(path, size, hop)
        else:
            hop.link = <void *>link
            hop.distance = 0

    cdef void search(self, const uint8_t *path, size_t size, uint64_t avoided, Hop *hop) noexcept:
        cdef uint64_t target[PATH_PORTS_MAX]
        cdef uint64_t *ports
        cdef size_t target_count = path_ports(path, path + size, target, PATH_PORTS_MAX)
        cdef size_t count = self.tree.own_coords(&ports)
        cdef uint64_t own = _distance(target, target_count, ports, count)
        cdef uint64_t distance, cost, best_distance = 0, best_cost = 0
        cdef bint kin, best_kin = False
        cdef Neighbour neighbour
        cdef Record record
        cdef Link link
        cdef Link best = None
        self.tree.host.work -= 1 + (len(self.tree.neighbours) >> 2) + <Py_ssize_t>(size >> 6)
        for neighbour in self.tree.neighbours:
            if avoided & hop_bit(neighbour.port):
                continue
            record = self.tree.record(neighbour.key)
            count = self.tree.coords(record, &ports)
            distance = _distance(target, target_count, ports, count)
            kin = self.tree.in_our_tree(record)
            if distance >= own or (best_kin and not kin):
                continue
            if kin and not best_kin:
                best = None
                best_kin = True
            link = best_link(neighbour)
            if link is None:
                continue
            cost = link.cost_now()
            if best is None or _better(cost, distance, link.order, best_cost, best_distance, best.order):
                best = link
                best_cost = cost
                best_distance = distance
        hop.link = <void *>best if best is not None else NULL
        hop.distance = own


cdef inline bint _better(uint64_t cost, uint64_t distance, uint64_t order,
                         uint64_t old_cost, uint64_t old_distance, uint64_t old_order) noexcept nogil:
    if cost * distance != old_cost * old_distance:
        return cost * distance < old_cost * old_distance
    if distance != old_distance:
        return distance < old_distance
    if cost != old_cost:
        return cost < old_cost
    return order < old_order


def distance(a, b):
    """Return how many tree links lie between two coordinates."""
    cdef uint64_t first[PATH_PORTS_MAX]
    cdef uint64_t second[PATH_PORTS_MAX]
    cdef size_t index
    if len(a) > PATH_PORTS_MAX or len(b) > PATH_PORTS_MAX:
        raise ValueError("coordinates have at most 1024 ports")
    for index, port in enumerate(a):
        first[index] = port
    for index, port in enumerate(b):
        second[index] = port
    return _distance(first, len(a), second, len(b))
