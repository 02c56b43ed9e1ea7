# Packets that wait until it is known where or how to send them: a short queue for each destination, and one account for
# all.
#
# A destination may have as much as is still free for all, up to a limit of its own: one that takes much is stopped
# while there is room for others. What does not fit is the newest packet: those before it, such as the first segments of
# connections, are what the rest would be worth nothing without. Memory is what packets take, not what they carry: a
# short one takes 2 KiB.

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport SECOND
from ygg_c.base.packet cimport Packet, PacketQueue, packet_free, queue_pop, queue_push

cdef enum:
    PENDING_EACH = 1048576      # bytes of memory for one destination

cdef extern from *:
    """
    #define YGG_PENDING_TIME (30 * YGG_SECOND)
    """
    const uint64_t PENDING_TIME "YGG_PENDING_TIME"      # ns: after that a packet is of no use

cdef struct PendingAccount:
    size_t limit                # bytes of memory
    size_t used

cdef struct Pending:
    PacketQueue packets
    size_t memory

cdef inline size_t packet_memory(const Packet *packet) noexcept nogil:
    return sizeof(Packet) + packet.capacity

# Whether nothing is in the way but what other destinations have.
cdef inline bint pending_is_crowded(
        const PendingAccount *account, const Pending *pending, const Packet *packet) noexcept nogil:
    return pending.packets.count == 0 and account.used + packet_memory(packet) > account.limit

# Take the packet as the newest and return True, or drop it.
cdef inline bint pending_push(PendingAccount *account, Pending *pending, Packet *packet, uint64_t now) noexcept:
    cdef size_t memory = packet_memory(packet)
    cdef size_t room = account.limit - account.used if account.used < account.limit else 0
    if memory > room or (pending.packets.count and pending.memory + memory > min(room, <size_t>PENDING_EACH)):
        packet_free(packet)
        return False
    packet.stamp = now
    queue_push(&pending.packets, packet)
    pending.memory += memory
    account.used += memory
    return True

# The oldest packet, or NULL.
cdef inline Packet *pending_pop(PendingAccount *account, Pending *pending) noexcept nogil:
    cdef Packet *packet = queue_pop(&pending.packets)
    if packet != NULL:
        pending.memory -= packet_memory(packet)
        account.used -= packet_memory(packet)
    return packet

# Drop what is older than PENDING_TIME; return how many that were.
cdef inline size_t pending_expire(PendingAccount *account, Pending *pending, uint64_t now) noexcept:
    cdef size_t count = 0
    while pending.packets.head != NULL and now - pending.packets.head.stamp >= PENDING_TIME:
        packet_free(pending_pop(account, pending))
        count += 1
    return count

# Drop all; return how many that were.
cdef inline size_t pending_clear(PendingAccount *account, Pending *pending) noexcept:
    cdef size_t count = pending.packets.count
    while pending.packets.count:
        packet_free(pending_pop(account, pending))
    return count
