# Messages of other nodes: where they go on to, and who is told that they cannot.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.ratelimit cimport Recent
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.wire cimport Routed
from ygg_c.routing.nexthop cimport NextHops
from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.tree cimport Tree

cdef class Forwarding:
    cdef LinkHost host
    cdef Tree tree
    cdef NextHops hops
    cdef Pathfinder pathfinder
    cdef uint64_t _salt
    cdef Recent _broken_lately
    # messages that a path is broken, by the neighbour that brings what they are about
    cdef Budget _tellings
    cdef uint64_t forwarded, failed, unroutable, brokens_limited

    # A message that a link has brought, with its body: passed on, or dropped and counted. False: it is for us.
    cdef bint traffic_in(self, Link link, const uint8_t *body, const Routed *message) noexcept
    cdef bint notify_in(self, const uint8_t *body, size_t size, const Routed *message) noexcept
    # The same; what is for us goes to the pathfinder. `origin`: number of the neighbour that has brought its cause.
    cdef void broken_in(self, uint64_t origin, const Routed *message) noexcept

    cdef void _forward(self, Link link, const uint8_t *body, const Routed *message, uint64_t watermark) noexcept
    cdef void _tell_broken(self, Link link, const Routed *traffic) noexcept
