# Packets that wait until it is known where or how to send them: a short queue for each destination, and one account for
# all.
#
# A destination may hold as much as is still free for all, up to a limit of its own: one that takes much is stopped
# while there is room for others. What does not fit is the newest packet: those before it, such as the first segments of
# connections, are what the rest would be worth nothing without. Memory is what packets take, not what they hold: a
# short one takes 2 KiB.

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport SECOND
from ygg_c.base.packet cimport Packet, PacketQueue, packet_free, queue_pop, queue_push

cdef enum:
    HOLD_EACH = 1048576         # bytes of memory for one destination

cdef extern from *:
    """
    #define YGG_HOLD_TIME (30 * YGG_SECOND)
    """
    const uint64_t HOLD_TIME "YGG_HOLD_TIME"    # ns: after that a packet is of no use

cdef struct HoldAccount:
    size_t limit                # bytes of memory
    size_t used

cdef struct Held:
    PacketQueue packets
    size_t memory

cdef inline size_t packet_memory(const Packet *packet) noexcept nogil:
    return sizeof(Packet) + packet.capacity

# Whether nothing is in the way but what other destinations hold.
cdef inline bint hold_is_crowded(const HoldAccount *account, const Held *held, const Packet *packet) noexcept nogil:
    return held.packets.count == 0 and account.used + packet_memory(packet) > account.limit

# Take the packet as the newest and return True, or drop it.
cdef inline bint hold_push(HoldAccount *account, Held *held, Packet *packet, uint64_t now) noexcept:
    cdef size_t memory = packet_memory(packet)
    cdef size_t room = account.limit - account.used if account.used < account.limit else 0
    if memory > room or (held.packets.count and held.memory + memory > min(room, <size_t>HOLD_EACH)):
        packet_free(packet)
        return False
    packet.stamp = now
    queue_push(&held.packets, packet)
    held.memory += memory
    account.used += memory
    return True

# The oldest packet, or NULL.
cdef inline Packet *hold_pop(HoldAccount *account, Held *held) noexcept nogil:
    cdef Packet *packet = queue_pop(&held.packets)
    if packet != NULL:
        held.memory -= packet_memory(packet)
        account.used -= packet_memory(packet)
    return packet

# Drop what is older than HOLD_TIME; return how many that were.
cdef inline size_t hold_expire(HoldAccount *account, Held *held, uint64_t now) noexcept:
    cdef size_t count = 0
    while held.packets.head != NULL and now - held.packets.head.stamp >= HOLD_TIME:
        packet_free(hold_pop(account, held))
        count += 1
    return count

# Drop all; return how many that were.
cdef inline size_t hold_clear(HoldAccount *account, Held *held) noexcept:
    cdef size_t count = held.packets.count
    while held.packets.count:
        packet_free(hold_pop(account, held))
    return count
