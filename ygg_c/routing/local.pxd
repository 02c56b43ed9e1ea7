# This node's own messages: sealed payloads on their way to other nodes, and those that have come for it.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.wire cimport Routed
from ygg_c.routing.pathfinder cimport Path, Pathfinder
from ygg_c.routing.tree cimport Tree

cdef class LocalTraffic:
    cdef LinkHost host
    cdef Tree tree
    cdef Pathfinder pathfinder
    cdef void *_came_by             # the neighbour (Neighbour) that has brought the message which is handled now
    cdef uint64_t failed, sent_to_self

    # Send a session message; takes ownership. The Traffic and frame headers go into the packet's headroom.
    cdef void send(self, const uint8_t *dest, Packet *payload) noexcept
    cdef bint send_held(self, Path path) noexcept               # what waits for this path; True: something did
    # Before and after a message for us is handled.
    cdef void begin(self, Link link, const Routed *message) noexcept
    cdef void end(self) noexcept
    # The message that is handled now is this source's own, the session layer has seen.
    cdef void source_proven(self, const uint8_t *source) noexcept

    cdef void _send_by(self, Path path, const uint8_t *dest, Packet *payload) noexcept
    cdef void _end_silent(self, const uint8_t *source) noexcept
