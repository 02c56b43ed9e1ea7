# Which neighbours lead to which keys: the Bloom filters exchanged along the tree, and lookups sent by them.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.link.bloom cimport Bloom, Probe
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.routing.tree cimport Tree

cdef class Reach:
    cdef LinkHost host
    cdef Tree tree
    cdef Probe _own
    cdef uint64_t gains             # changes when a neighbour may have come to lead to more keys
    cdef void link_up(self, Link link) noexcept
    cdef void link_proven(self, Link link) noexcept
    cdef void link_down(self, Neighbour neighbour) noexcept             # one of several proven links went
    cdef int filter_in(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef void maintain(self, bint tick) noexcept            # `tick`: the one of every second
    # How many neighbours a lookup would go to.
    cdef size_t leads(self, const Probe *probe) noexcept
    # Queue a lookup for `target` (any key; its transform is looked for) to every neighbour that may lead to it; to how
    # many.
    cdef size_t multicast(self, const uint8_t *body, size_t size, Neighbour came_from,
                          const uint8_t *source, const uint8_t *target) noexcept
    cdef void _send(self, Neighbour neighbour, Link only) noexcept
    cdef bint _is_ontree(self, Neighbour neighbour) noexcept
    cdef void _refresh(self, Neighbour neighbour, const Bloom *once, const Bloom *twice, bint tick) noexcept
