# What the paths to other nodes take, where that is less than our own MTU (RFC 8201).
#
# Who may be believed is for the caller to know: a Packet Too Big is sent by any host. What is known is forgotten after
# ten minutes without confirmation, since a path may have become better and nothing would ever tell. The path to a
# node's address and to all of its /64 is one entry, so that a node that invents addresses of its own takes one place.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.lru cimport Aging, AgingList

cdef class _Path:
    cdef Aging aging            # `used`: when its MTU was told last
    cdef uint8_t node[7]        # bytes 1 to 7 of its addresses
    cdef size_t mtu

cdef class PathMtus:
    cdef size_t _own            # MTU of this host
    cdef ByteMap _paths         # _Path.node → _Path
    cdef AgingList _order       # oldest first
    # The largest packet that the path to an address takes, as far as is known.
    cdef size_t find(self, const uint8_t *address, uint64_t now) noexcept
    # It takes none larger than `mtu`; less than 1280 counts as 1280. Without memory this is not remembered.
    cdef void lower(self, const uint8_t *address, size_t mtu, uint64_t now) noexcept
    # A packet of `size` bytes has passed.
    cdef void widen(self, const uint8_t *address, size_t size, uint64_t now) noexcept
    cdef _Path _known(self, const uint8_t *address, uint64_t now)
    cdef void _keep(self, const uint8_t *address, size_t mtu, uint64_t now) noexcept
    cdef void _forget(self, _Path path) noexcept
