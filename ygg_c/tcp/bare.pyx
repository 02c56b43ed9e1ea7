"""Segments without data that no connection sends."""

from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_bytes, sum_fold, sum_pseudo
from ygg_c.base.packet cimport Packet, packet_new
from ygg_c.ip.header cimport IP_HEADER, NEXT_TCP, SOURCE, put16, put32, write_header
from ygg_c.socket.endpoint cimport COUNT_NO_MEMORY
from ygg_c.tcp.wire cimport SYN, TCP_HEADER, write_syn_options, write_timestamp

cdef enum:
    MAX_OPTIONS = 40


cdef void send_bare(Host host, const uint8_t *key, uint32_t flow, const Bare *bare) noexcept:
    cdef uint8_t options[MAX_OPTIONS]
    cdef uint8_t *at = options
    cdef Packet *packet
    cdef uint8_t *tcp
    cdef size_t size
    cdef uint16_t folded
    if bare.flags & SYN:
        at = write_syn_options(at, bare.mss, bare.scale, bare.sack)
    if bare.stamped:
        at = write_timestamp(at, bare.ts_value, bare.ts_echo)
    size = TCP_HEADER + (at - options)
    packet = packet_new(IP_HEADER + size)
    if packet == NULL:
        host.count[COUNT_NO_MEMORY] += 1
        return
    packet.size = IP_HEADER + size
    write_header(packet.data, size, NEXT_TCP, flow, key + 16, key)
    tcp = packet.data + IP_HEADER
    memcpy(tcp, key + 34, 2)
    memcpy(tcp + 2, key + 32, 2)
    put32(tcp + 4, bare.seq)
    put32(tcp + 8, bare.ack)
    tcp[12] = <uint8_t>(size << 2)
    tcp[13] = bare.flags
    put16(tcp + 14, bare.window)
    put32(tcp + 16, 0)
    memcpy(tcp + TCP_HEADER, options, at - options)
    folded = ~sum_fold(sum_bytes(tcp, size, sum_pseudo(packet.data + SOURCE, <uint32_t>size, NEXT_TCP)))
    memcpy(tcp + 16, &folded, 2)
    host.emit(packet)
