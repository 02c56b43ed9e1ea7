"""What a stack sends to its own addresses; see loopback.pxd."""

from ygg_c.base.packet cimport packet_free, queue_clear, queue_init, queue_pop, queue_push

cdef enum:
    BYTES_MOST = 4194304


cdef class Loopback:
    """Packets on their way from a stack to itself."""

    def __cinit__(self):
        queue_init(&self.queue)

    def __dealloc__(self):
        queue_clear(&self.queue)

    cdef bint add(self, Packet *packet) noexcept:
        if self.queue.bytes > BYTES_MOST:
            packet_free(packet)
            return False
        queue_push(&self.queue, packet)
        return True

    cdef size_t room(self) noexcept:
        return BYTES_MOST - min(self.queue.bytes, <size_t>BYTES_MOST)

    cdef Packet *take(self) noexcept:
        return queue_pop(&self.queue)

    cdef void clear(self) noexcept:
        queue_clear(&self.queue)
