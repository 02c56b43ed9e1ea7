"""How a segment that leaves is made; see outgoing.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_bytes, sum_fold
from ygg_c.base.packet cimport packet_new
from ygg_c.ip.header cimport ECT_0, IP_HEADER, NEXT_TCP, put16, put_ecn, write_header
from ygg_c.socket.endpoint cimport COUNT_NO_MEMORY
from ygg_c.tcp.ecn cimport ecn_flags
from ygg_c.tcp.sendqueue cimport queue_copy
from ygg_c.tcp.wire cimport (
    ACK, MAX_OPTIONS, RST, SYN, TCP_HEADER, TIMESTAMP_ROOM, write_syn_options, write_tcp, write_timestamp,
)


cdef size_t sack_room(TcpEndpoint connection, Receiver receiver) noexcept:
    cdef int count
    if not connection.sack:
        return 0
    count = receiver.sack_count(MAX_OPTIONS - (TIMESTAMP_ROOM if connection.stamps else 0))
    return 4 + 8 * count if count else 0


cdef Packet *make_segment(
    TcpEndpoint connection, Sender sender, Receiver receiver, uint64_t position, size_t size, uint8_t flags,
    uint64_t now
) noexcept:
    cdef uint8_t options[MAX_OPTIONS]
    cdef uint8_t *at = options
    cdef uint64_t ack = receiver.ack_position() if flags & ACK else 0
    cdef size_t header, window
    cdef Packet *packet
    cdef uint8_t *tcp
    cdef uint64_t total
    cdef uint16_t folded
    if flags & SYN:
        at = write_syn_options(
            at, _own_mss(sender, connection.host.mtu - 60), receiver.scale, connection.sack
        )
    if connection.stamps:
        at = write_timestamp(at, connection.stamp(now), receiver.ts_recent if flags & ACK else 0)
    if connection.sack and flags & (ACK | SYN | RST) == ACK:
        at = _write_sacks(sender, receiver, at, options + MAX_OPTIONS - at, size)
    header = TCP_HEADER + (at - options)
    packet = packet_new(IP_HEADER + header + size)
    if packet == NULL:
        connection.host.count[COUNT_NO_MEMORY] += 1
        return NULL
    packet.size = IP_HEADER + header + size
    packet.paced = True
    write_header(packet.data, header + size, NEXT_TCP, connection.flow, connection.key + 16, connection.key)
    if sender.ecn.agreed:
        flags = _take_part(sender, packet.data, position, size, flags)
    tcp = packet.data + IP_HEADER
    memcpy(tcp, connection.key + 34, 2)
    memcpy(tcp + 2, connection.key + 32, 2)
    if flags & ACK:
        window = receiver.window_field(ack, flags & SYN, connection)
    else:
        window = min(receiver.cap, <size_t>65535)
    write_tcp(tcp, position, ack, header, flags, <uint16_t>window)
    memcpy(tcp + TCP_HEADER, options, at - options)
    put16(<uint8_t *>&folded, <uint32_t>(header + size))
    total = sum_bytes(tcp, header, connection.pseudo + folded)
    if size:
        total = queue_copy(&sender.out, tcp + header, position, size, total)
    folded = ~sum_fold(total)
    memcpy(tcp + 16, &folded, 2)
    if flags & ACK:
        receiver.acknowledged(ack)
    return packet


cdef uint16_t _own_mss(Sender sender, size_t most) noexcept:
    # What our SYN says that we take (RFC 6691).
    return <uint16_t>min(min(most, <size_t>65535), <size_t>(sender.mss_limit or 65535))


cdef uint8_t _take_part(Sender sender, uint8_t *header, uint64_t position, size_t size, uint8_t flags) noexcept:
    # Data may be marked on their way when they are sent first, unless they probe the path or the window (RFC 3168,
    # 6.1.4-6.1.6).
    cdef bint new = 0 < size <= sender.mss and position == sender.nxt and not sender.window_forced
    if new:
        put_ecn(header, ECT_0)
    return ecn_flags(&sender.ecn, flags, new)


cdef uint8_t *_write_sacks(Sender sender, Receiver receiver, uint8_t *at, size_t room, size_t size) noexcept:
    # Beside `size` bytes of data, without a larger packet than the path takes.
    cdef int count
    if size:
        room = min(room, sender.mss - min(sender.mss, size))
    count = receiver.sack_count(room)
    return receiver.write_blocks(at, count) if count else at
