"""Packets in fragments; see fragment.pxd."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from ygg_c.base.packet cimport packet_free, packet_new, queue_clear, queue_push
from ygg_c.ip.header cimport IP_HEADER, NEXT_FRAGMENT, put16, put32

cdef enum:
    FRAGMENT_HEADER = 8


# Payload bytes of every fragment but the last: a multiple of eight.
cdef inline size_t _chunk(size_t mtu) noexcept nogil:
    return (mtu - IP_HEADER - FRAGMENT_HEADER) & ~<size_t>7


cdef size_t wire_size(size_t size, size_t mtu) noexcept nogil:
    cdef size_t payload = size - IP_HEADER
    if size <= mtu:
        return size
    return payload + (payload + _chunk(mtu) - 1) // _chunk(mtu) * (IP_HEADER + FRAGMENT_HEADER)


cdef Packet *_piece(const Packet *packet, size_t offset, size_t size, bint more, uint32_t identification) noexcept:
    cdef Packet *piece = packet_new(IP_HEADER + FRAGMENT_HEADER + size)
    cdef uint8_t *header
    if piece == NULL:
        return NULL
    piece.size = IP_HEADER + FRAGMENT_HEADER + size
    memcpy(piece.data, packet.data, IP_HEADER)
    put16(piece.data + 4, <uint32_t>(FRAGMENT_HEADER + size))
    piece.data[6] = NEXT_FRAGMENT
    header = piece.data + IP_HEADER
    header[0] = packet.data[6]
    header[1] = 0
    put16(header + 2, <uint32_t>offset | more)
    put32(header + 4, identification)
    memcpy(header + FRAGMENT_HEADER, packet.data + IP_HEADER + offset, size)
    return piece


cdef bint fragment(Packet *packet, size_t mtu, uint32_t identification, PacketQueue *pieces) noexcept:
    cdef size_t left = packet.size - IP_HEADER
    cdef size_t offset = 0
    cdef size_t size
    cdef Packet *piece
    while left:
        size = min(left, _chunk(mtu))
        left -= size
        piece = _piece(packet, offset, size, left > 0, identification)
        if piece == NULL:
            queue_clear(pieces)
            packet_free(packet)
            return False
        queue_push(pieces, piece)
        offset += size
    packet_free(packet)
    return True
