# Where a node is in the tree, and how it tells others.

from libc.stdint cimport uint64_t

from ygg_c.link.link cimport LinkHost
from ygg_c.routing.tree cimport Tree

cdef class Location:
    cdef LinkHost host
    cdef Tree tree
    cdef uint64_t _seq              # what was signed last: seq, own coordinates, signature
    cdef bytes _signed
    cdef uint64_t _signed_place
    cdef uint64_t _second           # what _clock() told last, and ns when that second began
    cdef uint64_t _second_at
    # Our own coordinates, as a number that tells whether they have changed.
    cdef uint64_t place(self) noexcept
    # The signed end of our notifies; the last signature serves while second and place are the same.
    cdef bytes signed(self)
    cdef uint64_t _clock(self) noexcept
