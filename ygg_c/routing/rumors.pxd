# The keys that a node wants to reach and has no path to, or none that works; by the form in which keys are looked up.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport PacketQueue
from ygg_c.link.bloom cimport Probe
from ygg_c.link.link cimport LinkHost
from ygg_c.routing.heldpackets cimport HeldPackets

cdef class Rumor:
    cdef uint8_t target[32]         # transformed
    cdef Probe probe                # of the target
    cdef uint8_t wanted[32]         # the key last asked for, perhaps a partial one
    cdef bint answered              # since it was last wanted
    cdef size_t asked               # how many neighbours the last lookup went to
    cdef uint64_t place             # where from, as Location.place()
    cdef int repeats                # of the lookup, since it was last wanted
    cdef uint64_t looked            # when the last one went out, a repeated one too
    cdef uint64_t sent
    cdef uint64_t expires
    cdef uint8_t dest[32]           # whom the held packets are for
    cdef PacketQueue held
    cdef Py_ssize_t _slot

cdef class Rumors:
    cdef LinkHost host
    cdef HeldPackets held
    cdef ByteMap _by_target         # transformed key -> Rumor
    cdef list all
    cdef uint64_t _expire_at        # none expires before

    cdef Rumor find(self, const uint8_t *key)                       # of a whole or a partial key; None when unknown
    cdef Rumor add(self, const uint8_t *key)                        # there is none of this key; another may go for it
    cdef void live(self, Rumor rumor, uint64_t until) noexcept
    cdef void expire(self, uint64_t now) noexcept
    cdef void _remove(self, Rumor rumor) noexcept
    cdef Rumor _stalest(self)
