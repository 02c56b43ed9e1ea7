# When the tree, the filters and the paths are seen to, of themselves: every second, and soon after something has
# happened.

from libc.stdint cimport uint64_t

from ygg_c.base.ratelimit cimport Bucket
from ygg_c.link.link cimport LinkHost
from ygg_c.routing.multicast cimport Reach
from ygg_c.routing.pathfinder cimport Pathfinder
from ygg_c.routing.tree cimport Tree

cdef class Maintenance:
    cdef LinkHost host
    cdef Tree tree
    cdef Reach reach
    cdef Pathfinder pathfinder
    cdef list links                     # the router's own list of them
    cdef uint64_t _tick_at
    cdef uint64_t _ticked
    cdef uint64_t _early_at             # between ticks; NEVER
    cdef uint64_t _early_from           # none before
    cdef Bucket _early                  # how many between ticks may still be made
    cdef uint64_t early, limited
    # Have it done at this time, between ticks, as far as the rate allows.
    cdef void want(self, uint64_t when) noexcept
    cdef uint64_t run(self) noexcept                    # what is due; when something is next
    cdef void _run_early(self) noexcept
    cdef void _run_all(self, bint tick) noexcept
    cdef void _tick(self) noexcept
