# The router: links, tree, filters, paths and forwarding, composed. Sans-IO; its host sets the clock and runs its
# timers.
#
# In a turn its owner sets the clock, lets links that were held go on, has timers run that are due, and each link with
# output flushed once.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.routing.forwarding cimport Forwarding
from ygg_c.routing.local cimport LocalTraffic
from ygg_c.routing.maintenance cimport Maintenance
from ygg_c.routing.multicast cimport Reach
from ygg_c.routing.nexthop cimport NextHops
from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.tree cimport Tree
from ygg_c.routing.verification cimport Verification

cdef class Router(LinkHost):
    cdef Tree tree
    cdef NextHops hops
    cdef Reach reach
    cdef Pathfinder pathfinder
    cdef Forwarding forwarding
    cdef LocalTraffic local
    cdef Verification verification
    cdef Maintenance maintenance
    cdef bint _counted                  # among the live objects
    cdef list links                     # of Link, oldest first
    cdef uint64_t _orders
    cdef uint64_t lookups_offtree
    cdef uint64_t _queue_dropped, _links_lost       # by links that are gone
    cdef uint64_t unproven_refused, unproven_dropped, links_unproven

    # Look for the node behind a full or partial key (32 bytes); path_in() tells when it answers.
    cdef void seek(self, const uint8_t *partial_key) noexcept

    # Upcalls, for Node to override (and credit_in of LinkHost).
    cdef void queue_builds_up(self, const uint8_t *dest) noexcept       # what is sent to this key waits for too long
    # This key has answered with a path; `held`: packets that waited for it are leaving.
    cdef void path_in(self, const uint8_t *key, bint held) noexcept
    cdef void link_closed(self, Link link) noexcept             # link.error says why; called once per link

    # The turn, in pieces.
    # let links that were held go on; in a turn that the host owes
    cdef void begin_round(self) noexcept
    cdef uint64_t run_timers(self) noexcept                     # what is due; the next deadline, or NEVER
    cdef void flush_links(self) noexcept                        # close failed links, flush those with output
    cdef void _let_go_on(self) noexcept
    cdef void _close_failed(self) noexcept
    cdef void _flush_link(self, Link link) noexcept

    # Messages; a code of ygg_c.link.wire
    cdef int _unproven_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef int _tree_message_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef int _traffic_in(self, Link link, uint8_t *body, size_t size) noexcept
    cdef int _lookup_in(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef int _notify_in(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef int _broken_in(self, Link link, const uint8_t *body, size_t size) noexcept
