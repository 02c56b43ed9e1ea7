# The paths that a node has found, by key, bounded in number and in memory.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport PacketQueue
from ygg_c.link.link cimport LinkHost
from ygg_c.routing.heldpackets cimport HeldPackets
from ygg_c.routing.nexthop cimport Hop

cdef class Path:
    cdef uint8_t key[32]
    cdef uint8_t *ports             # as on the wire, closing zero included
    cdef size_t size
    cdef uint64_t seq
    cdef uint64_t created           # ns
    cdef uint64_t confirmed         # when something last showed that it leads there
    cdef uint64_t expires
    cdef bint broken
    cdef bint seen                  # the host has been told that it leads there, and not that it does no more
    cdef bint direct                # leads to a neighbour, by the link to it
    # only the header of a message tells it; what it takes is kept until something signed does
    cdef bint unproven
    cdef uint64_t introduce_at      # when its holder is told where we are, unasked; NEVER: it is not
    cdef uint64_t place             # of ours, from which it was last looked for
    cdef uint64_t doubted           # when it was last looked for out of doubt, and how long that lasts
    cdef uint64_t patience
    cdef uint64_t avoided           # first hops that seem to swallow what they are given, as hop_bit()
    cdef uint64_t avoid_for
    cdef uint64_t avoid_until       # NEVER: there are none
    cdef PacketQueue held
    cdef Py_ssize_t _slot
    # The Traffic header up to and including the keys, and the first hop, for one generation of the tree.
    cdef uint8_t *header
    cdef size_t header_size
    cdef uint64_t generation
    cdef Hop hop

cdef class Paths:
    cdef LinkHost host
    cdef HeldPackets held
    cdef ByteMap _by_key            # key -> Path
    cdef list all
    cdef size_t _bytes              # of memory that they take
    cdef uint64_t _expire_at        # none expires before
    cdef readonly uint64_t evicted

    cdef Path find(self, const uint8_t *key)                        # None when unknown
    cdef Path add(self, const uint8_t *key)                         # there is none of this key; another may go for it
    cdef void live(self, Path path, uint64_t until) noexcept
    cdef int set_ports(self, Path path, const uint8_t *ports, size_t size) noexcept     # -1: no memory
    cdef int set_header_size(self, Path path, size_t size) noexcept     # the same; what is in it is lost
    cdef void remove(self, Path path) noexcept
    cdef void unsee(self, Path path) noexcept                       # it leads there no more: tell the host
    cdef void expire(self, uint64_t now) noexcept
    cdef size_t _weight(self, Path path) noexcept
    cdef Path _burden(self, Path kept)
    cdef void _make_room(self, Path kept) noexcept
