"""Resets in answer to what belongs to nothing."""

from libc.stdint cimport uint16_t, uint32_t
from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.ip.header cimport IP_HEADER, NEXT_TCP, SOURCE, put16, put32, write_header
from ygg_c.socket.endpoint cimport COUNT_NO_MEMORY, COUNT_TCP_RESETS_SENT
from ygg_c.tcp.wire cimport ACK, RST, TCP_HEADER, sequence_length


cdef void send_reset(Host host, const uint8_t *key, const Segment *segment) noexcept:
    cdef Packet *packet
    cdef uint8_t *tcp
    cdef uint16_t folded
    if segment.flags & RST:
        return
    packet = packet_new(IP_HEADER + TCP_HEADER)
    if packet == NULL:
        host.count[COUNT_NO_MEMORY] += 1
        return
    packet.size = IP_HEADER + TCP_HEADER
    write_header(packet.data, TCP_HEADER, NEXT_TCP, 0, key + 16, key)
    tcp = packet.data + IP_HEADER
    memcpy(tcp, key + 34, 2)
    memcpy(tcp + 2, key + 32, 2)
    put32(tcp + 4, segment.ack if segment.flags & ACK else 0)
    put32(tcp + 8, 0 if segment.flags & ACK else segment.seq + <uint32_t>sequence_length(segment))
    tcp[12] = TCP_HEADER << 2
    tcp[13] = RST if segment.flags & ACK else RST | ACK
    put16(tcp + 14, 0)
    put32(tcp + 16, 0)
    folded = ~sum_fold(sum_bytes(tcp, TCP_HEADER, sum_pseudo(packet.data + SOURCE, TCP_HEADER, NEXT_TCP)))
    memcpy(tcp + 16, &folded, 2)
    host.count[COUNT_TCP_RESETS_SENT] += 1
    host.emit(packet)
