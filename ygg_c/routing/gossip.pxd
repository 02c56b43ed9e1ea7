# The gossip of records: what neighbours have been told, and what they are told next. See gossip.pyx.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.link.link cimport Link, LinkHost
from ygg_c.link.neighbour cimport Neighbour
from ygg_c.routing.records cimport Record, Records

cdef enum:
    SENT_MAX = 4096                 # keys remembered for a neighbour as sent; more than two ancestries
    # records told before the far side is proven; it has no room for many more (link/deferred.pxd)
    GREETED_MAX = 128

# A neighbour is new: it may be told a burst.
cdef void gossip_meet(Neighbour neighbour, uint64_t now) noexcept

cdef class Gossip:
    cdef list _telling              # of Neighbour: those that may lack records, who has waited longest first
    cdef uint64_t tell_at           # when to go on telling them; NEVER: all have been told

    # A neighbour may lack records; it is told in the next maintenance, or as soon as possible.
    cdef void want(self, Neighbour neighbour) noexcept
    cdef void soon(self, LinkHost host) noexcept
    # Tell all neighbours, and those who have not proven their keys, what they lack.
    cdef void tell_all(self, Records records, list unproven) noexcept
    # The same for those who want it, as much as they may be told now.
    cdef void tell(self, Records records) noexcept
    cdef void greet(self, Records records, Link link) noexcept      # send an unproven link the records that it lacks
    cdef void send_record(self, Link link, Record record) noexcept
    # It has the present record of this key.
    cdef void note_sent(self, Neighbour neighbour, const uint8_t *key) noexcept

    cdef void _greet(self, Records records, Link link, const uint8_t *key) noexcept
    # `above`: our ancestry; adds to `looks` how many records it looked at. False: there is more to tell.
    cdef bint _tell(self, Records records, Neighbour neighbour, void **above, size_t count, size_t *looks) noexcept
    cdef bint _tell_some(self, LinkHost host, Neighbour neighbour, void **records, size_t count) noexcept
