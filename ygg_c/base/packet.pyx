"""The packet pool: three size classes, each with a bounded free list."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ygg_c.base.live cimport LIVE_PACKET, born, died

cdef enum:
    CLASSES = 3

cdef size_t _class_room[CLASSES]
cdef size_t _class_keep[CLASSES]
cdef Packet *_free[CLASSES]
cdef size_t _free_count[CLASSES]

# Room behind the headroom: a packet of an ordinary MTU, a page-sized one, and the largest IPv6 packet with its tail.
_class_room[0], _class_room[1], _class_room[2] = 1536, 9216, 65664
# At most about 4 + 4 + 8 MiB kept for reuse.
_class_keep[0], _class_keep[1], _class_keep[2] = 2048, 512, 128


cdef int _class_of(size_t room) noexcept:
    cdef int kind
    for kind in range(CLASSES):
        if room <= _class_room[kind]:
            return kind
    return -1


cdef Packet *packet_new(size_t room) noexcept:
    cdef int kind = _class_of(room)
    cdef Packet *packet
    if kind >= 0 and _free[kind] != NULL:
        packet = _free[kind]
        _free[kind] = packet.next
        _free_count[kind] -= 1
    else:
        if kind >= 0:
            room = _class_room[kind]
        packet = <Packet *>malloc(sizeof(Packet) + HEADROOM + room)
        if packet == NULL:
            return NULL
        packet.capacity = HEADROOM + room
    packet.next = NULL
    packet.data = packet_storage(packet) + HEADROOM
    packet.size = 0
    packet.stamp = 0
    packet.ecn = 0
    packet.paced = False
    born(LIVE_PACKET)
    return packet


cdef Packet *packet_copy(const uint8_t *data, size_t size) noexcept:
    cdef Packet *packet = packet_new(size)
    if packet != NULL:
        if size:
            memcpy(packet.data, data, size)
        packet.size = size
    return packet


cdef void packet_free(Packet *packet) noexcept:
    cdef int kind
    if packet == NULL:
        return
    died(LIVE_PACKET)
    kind = _class_of(packet.capacity - HEADROOM)
    if kind >= 0 and _free_count[kind] < _class_keep[kind]:
        packet.next = _free[kind]
        _free[kind] = packet
        _free_count[kind] += 1
    else:
        free(packet)


cdef void queue_clear(PacketQueue *queue) noexcept:
    cdef Packet *packet = queue_pop(queue)
    while packet != NULL:
        packet_free(packet)
        packet = queue_pop(queue)
