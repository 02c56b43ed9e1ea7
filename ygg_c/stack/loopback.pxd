# What a stack sends to its own addresses: a queue, bounded in bytes, that is emptied in its turns.

from ygg_c.base.packet cimport Packet, PacketQueue

cdef class Loopback:
    cdef PacketQueue queue
    cdef bint add(self, Packet *packet) noexcept        # takes ownership; False: there was no room
    cdef size_t room(self) noexcept                     # in bytes
    cdef Packet *take(self) noexcept                    # the oldest, NULL: there is none
    cdef void clear(self) noexcept
