# Messages with signatures: verified as far as the budget goes, or kept beside their link until it goes further.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.sodium cimport Random
from ygg_c.link.link cimport Link, LinkHost
from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.tree cimport Tree

# Signatures that may be verified, for LinkHost.verifications.
cdef Budget new_budget(Random random)

cdef class Verification:
    cdef LinkHost host
    cdef Tree tree
    cdef Pathfinder pathfinder
    # of Link: those whose messages wait to be verified, in the order in which they go on
    cdef list waiting
    cdef uint64_t announces_limited
    # A record, or an answer that is for us: a code of ygg_c.link.wire, or HELD, and then the link has been held.
    cdef int signed_in(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef void take_parked(self, Link link, int64_t slice) noexcept      # what waits beside this link
    cdef void take_all_parked(self) noexcept                            # each link with its share of a round
    cdef int _verify(self, Link link, int kind, const uint8_t *body, size_t size) noexcept      # HELD: not now
    cdef bint _park(self, Link link, int kind, const uint8_t *body, size_t size) noexcept
    cdef void _see_news(self) noexcept
    cdef void _await(self, Link link, uint64_t until) noexcept
