# Packets of a node that wait for paths, bounded in memory all together: each path and each wanted key has its queue of
# them, and this is the account.

from libc.stdint cimport uint64_t

from ygg_c.base.packet cimport Packet, PacketQueue

cdef class HeldPackets:
    cdef size_t _bytes              # of memory
    cdef readonly uint64_t dropped
    # Takes ownership. It is dropped where `most` wait, where all together are too many, and where there is no queue
    # (NULL).
    cdef void put(self, PacketQueue *queue, Packet *packet, size_t most) noexcept
    cdef void drop(self, PacketQueue *queue, size_t keep) noexcept      # the oldest, but for so many
    cdef PacketQueue release(self, PacketQueue *queue) noexcept         # all, to be sent
