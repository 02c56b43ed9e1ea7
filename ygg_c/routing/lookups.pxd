# The lookups that a node sends out: when one goes, and when it is repeated before its second is over.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.link.link cimport LinkHost
from ygg_c.routing.location cimport Location
from ygg_c.routing.multicast cimport Reach
from ygg_c.routing.rumors cimport Rumor, Rumors
from ygg_c.routing.tree cimport Tree

cdef extern from *:
    """
    #define YGG_LOOKUP_INTERVAL 1000000000ULL
    """
    const uint64_t LOOKUP_INTERVAL "YGG_LOOKUP_INTERVAL"    # ns between two lookups for a key without good reason

cdef class Lookups:
    cdef LinkHost host
    cdef Tree tree
    cdef Reach reach
    cdef Location location
    cdef Rumors rumors
    # Look for a key, at most once a second; `fresh`: there is a path to it that is younger; `urgent`: its path has just
    # been lost. Tells whether a lookup went out.
    cdef bint want(self, const uint8_t *dest, bint fresh, bint urgent) noexcept
    # Whether the last lookup went by filters that did not lead there any more, as it seems.
    cdef bint is_overdue(self, const uint8_t *dest) noexcept
    cdef void look_again(self) noexcept                             # where it would reach more, or come from elsewhere
    cdef void _look(self, Rumor rumor) noexcept
