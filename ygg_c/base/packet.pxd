# Pooled packet buffers with headroom: a payload is written once, and each layer below puts its header in front.
#
#   storage [ headroom … | data … size | tailroom ]
#
# A Packet has one owner at a time, which must pass it on or free it. All calls hold the GIL.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    HEADROOM = 512      # fits every header below IPv6 unless a path is very long

cdef struct Packet:
    Packet *next        # for intrusive queues; NULL when in none
    uint8_t *data       # first byte of content
    size_t size         # bytes of content
    size_t capacity     # bytes of storage, headroom included
    uint64_t stamp      # for the owner: when it was queued, in ns
    # of an IPv6 packet of our own, which may be sealed: NOT_ECT; ECT_0: it may be marked; CE: it should be
    uint8_t ecn
    bint paced          # its sender sends no more than there is credit for (ip/layer.pxd): no queue has to slow it down

# A packet with HEADROOM free bytes in front of `data` and at least `room` bytes from `data`; size 0; NULL without
# memory.
cdef Packet *packet_new(size_t room) noexcept
cdef Packet *packet_copy(const uint8_t *data, size_t size) noexcept
cdef void packet_free(Packet *packet) noexcept

cdef inline uint8_t *packet_storage(Packet *packet) noexcept nogil:
    return <uint8_t *>(packet + 1)

cdef inline size_t packet_headroom(Packet *packet) noexcept nogil:
    return packet.data - packet_storage(packet)

# Prepend `count` bytes (the caller has checked packet_headroom) and return where they start.
cdef inline uint8_t *packet_push(Packet *packet, size_t count) noexcept nogil:
    packet.data -= count
    packet.size += count
    return packet.data

# A FIFO of packets through their `next` members.
cdef struct PacketQueue:
    Packet *head
    Packet *tail
    size_t count
    size_t bytes

cdef inline void queue_init(PacketQueue *queue) noexcept nogil:
    queue.head = NULL
    queue.tail = NULL
    queue.count = 0
    queue.bytes = 0

cdef inline void queue_push(PacketQueue *queue, Packet *packet) noexcept nogil:
    packet.next = NULL
    if queue.tail == NULL:
        queue.head = packet
    else:
        queue.tail.next = packet
    queue.tail = packet
    queue.count += 1
    queue.bytes += packet.size

cdef inline Packet *queue_pop(PacketQueue *queue) noexcept nogil:
    cdef Packet *packet = queue.head
    if packet != NULL:
        queue.head = packet.next
        if queue.head == NULL:
            queue.tail = NULL
        packet.next = NULL
        queue.count -= 1
        queue.bytes -= packet.size
    return packet

cdef void queue_clear(PacketQueue *queue) noexcept
