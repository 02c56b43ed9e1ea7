# The greedy next hop towards coordinates.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.routing.tree cimport Tree

# A next hop and the watermark to send with; link is borrowed, NULL when there is none.
cdef struct Hop:
    void *link
    uint64_t distance               # own distance: the new watermark when there is a link

cdef struct HopSlot:
    uint64_t generation
    uint8_t path[40]
    size_t size
    Hop hop

cdef enum:
    HOP_SLOTS = 512
    HOP_PATH_MAX = 40

cdef class NextHops:
    cdef Tree tree
    cdef HopSlot *_slots
    cdef uint64_t _salt
    # Towards a path as it is on the wire.
    cdef void find(self, const uint8_t *path, size_t size, Hop *hop) noexcept
    # Towards the holder of a key at a path: to a neighbour by its own link, with a watermark of zero.
    cdef void towards(self, const uint8_t *key, const uint8_t *path, size_t size, Hop *hop) noexcept
    # As find(), but not by a neighbour whose bit, number modulo 64, is set in `avoided`.
    cdef void search(self, const uint8_t *path, size_t size, uint64_t avoided, Hop *hop) noexcept

# The bit of a neighbour's number in such a set.
cdef inline uint64_t hop_bit(uint64_t port) noexcept nogil:
    return <uint64_t>1 << (port & 63)
