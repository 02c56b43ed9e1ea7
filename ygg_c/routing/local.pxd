# This node's own messages: sealed payloads on their way to other nodes, and those that have come for it.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.wire cimport Routed
from ygg_c.routing.layer cimport TrafficLower, TrafficUpper
from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.paths cimport Path
from ygg_c.routing.tree cimport Tree

cdef class LocalTraffic(TrafficLower):
    cdef LinkHost host
    cdef TrafficUpper upper         # whom messages for us are given to
    cdef Tree tree
    cdef Pathfinder pathfinder
    cdef void *_came_by             # the neighbour (Neighbour) that has brought the message which is handled now
    cdef uint64_t failed, sent_to_self

    # A message for us that this link has brought; its payload may be changed in place.
    cdef void traffic_in(self, Link link, const Routed *message) noexcept
    cdef bint send_held(self, Path path) noexcept               # what waits for this path; True: something did

    cdef void _send_by(self, Path path, const uint8_t *dest, Packet *payload) noexcept
    cdef void _end_silent(self, const uint8_t *source) noexcept
