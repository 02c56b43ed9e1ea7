# The router: links, tree, filters, paths and forwarding, composed. Sans-IO; its host sets the clock and runs its
# timers.
#
# A host's turn is enter(now, wall), then feeding links, then leave(): timers that are due, closing of failed links, one
# flush of every link with output. Node overrides leave() to add what it does per batch.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport Packet
from ygg_c.base.ratelimit cimport Bucket, Recent
from ygg_c.ip.layer cimport Way
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.link.wire cimport Routed
from ygg_c.routing.multicast cimport Reach
from ygg_c.routing.nexthop cimport NextHops
from ygg_c.routing.pathfinder cimport Path, Pathfinder
from ygg_c.routing.tree cimport Tree

cdef class Router(LinkHost):
    cdef Tree tree
    cdef NextHops hops
    cdef Reach reach
    cdef Pathfinder pathfinder
    cdef bint _counted                  # among the live objects
    cdef list links                     # of Link, oldest first
    # of Link: those whose messages wait to be verified, in the order in which they go on
    cdef list _waiting
    cdef uint64_t _orders
    cdef uint64_t _tick_at
    cdef uint64_t _ticked
    cdef uint64_t _upkeep_at            # between ticks; NEVER
    cdef uint64_t _upkeep_from          # none before
    cdef Bucket _early                  # upkeeps between ticks that may still be made
    cdef uint64_t upkeeps, upkeeps_limited
    cdef Recent _broken_lately
    # messages that a path is broken, by the neighbour that brings what they are about
    cdef Budget _tellings
    cdef uint64_t brokens_limited
    cdef uint64_t _salt
    cdef const uint8_t *_origin         # during traffic_in(): the coordinates it comes from
    cdef size_t _origin_size
    cdef const uint8_t *_source         # and the key that it says it is from
    cdef bint _proven                   # it is, the session layer has seen
    cdef void *_came_by                 # the neighbour (Neighbour) that has brought it
    cdef list _delivered                # messages for us, while nothing overrides traffic_in()
    cdef uint64_t announces_limited
    cdef uint64_t forwarded, forward_failed, unroutable, sent_to_self, lookups_offtree
    cdef uint64_t _queue_dropped, _links_lost       # by links that are gone
    cdef uint64_t unproven_refused, unproven_dropped, links_unproven

    # For the session layer. Keys are 32 bytes.
    # Send a session message; takes ownership. The Traffic and frame headers go into the packet's headroom.
    cdef void send_traffic(self, const uint8_t *dest, Packet *payload) noexcept
    # Look for the node behind a full or partial key; path_in() tells when it answers.
    cdef void lookup(self, const uint8_t *partial_key) noexcept
    # Nothing comes back from this key though it should: look for another way.
    cdef void path_suspect(self, const uint8_t *dest) noexcept
    # An Init to this key has left.
    cdef void introduce(self, const uint8_t *dest) noexcept
    # What we send to this key arrives.
    cdef void path_works(self, const uint8_t *dest) noexcept
    # During traffic_in(): this message is the source's own, the session layer has seen.
    cdef void source_proven(self, const uint8_t *source) noexcept
    # Bytes that may be sent towards this key now without being dropped; CREDIT_WINDOW when its path is unknown.
    cdef void find_way(self, const uint8_t *dest, size_t wanted, Way *way) noexcept     # see Lower.find_way

    # Upcalls, for Node to override (and credit_in of LinkHost).
    cdef void queue_builds_up(self, const uint8_t *dest) noexcept       # what is sent to this key waits for too long
    # A session message for us that came in by `link`; `payload` may be changed in place and lives only for the call.
    cdef void traffic_in(self, Link link, const uint8_t *source, uint8_t *payload, size_t size) noexcept
    # This key has answered with a path; `held`: packets that waited for it are leaving.
    cdef void path_in(self, const uint8_t *key, bint held) noexcept
    cdef void link_closed(self, Link link) noexcept             # link.error says why; called once per link

    # The turn, in pieces.
    cdef void enter(self, uint64_t now, uint64_t wall) noexcept
    # let links that were held go on; in a turn that the host owes
    cdef void begin_round(self) noexcept
    cdef uint64_t run_timers(self) noexcept                     # what is due; the next deadline, or NEVER
    cdef void flush_links(self) noexcept                        # close failed links, flush those with output
    cdef void leave(self) noexcept
    cdef void _upkeep(self, bint tick) noexcept
    cdef void _upkeep_early(self) noexcept
    cdef void _tick(self) noexcept
    cdef void _close_failed(self) noexcept
    cdef void _flush_link(self, Link link) noexcept

    # Messages; a code of ygg_c.link.wire
    cdef int _signed_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef int _verify(self, Link link, int kind, const uint8_t *body, size_t size) noexcept      # HELD: not now
    cdef bint _park(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef void _see_news(self) noexcept
    cdef void _await(self, Link link, uint64_t until) noexcept
    cdef void _take_parked(self, Link link, int64_t slice) noexcept
    cdef void _take_all_parked(self) noexcept
    cdef void _let_go_on(self) noexcept
    cdef int _unproven_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef int _tree_message(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef int _traffic(self, Link link, uint8_t *body, size_t size) noexcept
    cdef int _lookup(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef int _notify(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef int _take_notify(self, Link link, const Routed *message) noexcept
    cdef void _end_silent(self, const uint8_t *source) noexcept
    cdef bint _send_held(self, Path path) noexcept              # True: something had waited
    cdef int _broken(self, Link link, const uint8_t *body, size_t size) noexcept
    cdef void _forward(self, Link link, const uint8_t *body, const Routed *message, uint64_t watermark) noexcept
    cdef void _tell_broken(self, Link link, const Routed *traffic) noexcept
    cdef void _route_broken(self, uint64_t origin, const Routed *message) noexcept
