"""Packets of a node that wait for paths; see heldpackets.pxd."""

from ygg_c.base.packet cimport packet_free, queue_init, queue_pop, queue_push

cdef enum:
    HELD_MAX = 8388608              # bytes of memory


cdef class HeldPackets:
    """The account of packets that wait."""

    cdef void put(self, PacketQueue *queue, Packet *packet, size_t most) noexcept:
        if queue == NULL or queue.count >= most or self._bytes + packet.capacity > HELD_MAX:
            self.dropped += 1
            packet_free(packet)
        else:
            queue_push(queue, packet)
            self._bytes += packet.capacity

    cdef void drop(self, PacketQueue *queue, size_t keep) noexcept:
        cdef Packet *packet
        while queue.count > keep:
            packet = queue_pop(queue)
            self.dropped += 1
            self._bytes -= packet.capacity
            packet_free(packet)

    cdef PacketQueue release(self, PacketQueue *queue) noexcept:
        cdef PacketQueue held = queue[0]
        cdef Packet *packet = held.head
        while packet != NULL:
            self._bytes -= packet.capacity
            packet = packet.next
        queue_init(queue)
        return held
