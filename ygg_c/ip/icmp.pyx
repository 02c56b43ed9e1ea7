"""ICMPv6 messages."""

from libc.errno cimport EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPROTO
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from ygg_c.base.checksum cimport sum_bytes, sum_copy, sum_fold, sum_pseudo
from ygg_c.base.packet cimport packet_new
from ygg_c.ip.header cimport (
    IP_HEADER, NEXT_ICMPV6, SOURCE, TARGET, WALK_FRAGMENT, WALK_UPPER, Chain, Walk, get16, is_multicast,
    is_unspecified, put16, put32, walk, write_header,
)


cdef bint _may_report(const uint8_t *packet, size_t size, uint8_t kind, uint8_t code) noexcept nogil:
    cdef Chain chain
    cdef Walk result
    cdef bint to_many = kind == ICMP_TOO_BIG or (kind == ICMP_PROBLEM and code == 2)
    if is_unspecified(packet + SOURCE) or is_multicast(packet + SOURCE):
        return False
    if is_multicast(packet + TARGET) and not to_many:
        return False
    result = walk(packet, size, &chain, False)
    if result == WALK_FRAGMENT:
        # Only a first fragment shows what it carries.
        if get16(packet + chain.offset + 2) & 0xfff8:
            return True
        chain.next = packet[chain.offset]
        chain.offset += 8
        result = WALK_UPPER
    # An error about an error would never end.
    return not (
        result == WALK_UPPER and chain.next == NEXT_ICMPV6 and (size <= chain.offset or packet[chain.offset] < 128)
    )


cdef Packet *icmp_error(
    const uint8_t *packet, size_t size, const uint8_t *source, uint8_t kind, uint8_t code, uint32_t parameter,
    size_t quote,
) noexcept:
    cdef size_t quoted = min(size, quote)
    cdef Packet *error
    if not _may_report(packet, size, kind, code):
        return NULL
    error = packet_new(IP_HEADER + ICMP_HEADER + quoted)
    if error == NULL:
        return NULL
    error.size = IP_HEADER + ICMP_HEADER + quoted
    write_header(error.data, ICMP_HEADER + quoted, NEXT_ICMPV6, 0, source, packet + SOURCE)
    error.data[IP_HEADER] = kind
    error.data[IP_HEADER + 1] = code
    put32(error.data + IP_HEADER + 4, parameter)
    memcpy(error.data + IP_HEADER + ICMP_HEADER, packet, quoted)
    _seal(error)
    return error


cdef void _seal(Packet *packet) noexcept:
    cdef uint16_t total
    cdef size_t size = packet.size - IP_HEADER
    put16(packet.data + IP_HEADER + 2, 0)
    total = ~sum_fold(sum_bytes(packet.data + IP_HEADER, size, sum_pseudo(packet.data + SOURCE, size, NEXT_ICMPV6)))
    memcpy(packet.data + IP_HEADER + 2, &total, 2)


cdef Packet *icmp_echo(
    const uint8_t *source, const uint8_t *target, uint8_t kind, uint16_t identifier, uint16_t sequence,
    const uint8_t *payload, size_t size,
) noexcept:
    cdef Packet *packet = packet_new(IP_HEADER + ICMP_HEADER + size)
    cdef uint8_t *message
    cdef uint64_t total
    cdef uint16_t folded
    if packet == NULL:
        return NULL
    packet.size = IP_HEADER + ICMP_HEADER + size
    write_header(packet.data, ICMP_HEADER + size, NEXT_ICMPV6, 0, source, target)
    message = packet.data + IP_HEADER
    message[0] = kind
    message[1] = 0
    put16(message + 2, 0)
    put16(message + 4, identifier)
    put16(message + 6, sequence)
    total = sum_bytes(message, ICMP_HEADER, sum_pseudo(packet.data + SOURCE, ICMP_HEADER + size, NEXT_ICMPV6))
    folded = ~sum_fold(sum_copy(message + ICMP_HEADER, payload, size, False, total))
    memcpy(message + 2, &folded, 2)
    return packet


cdef int icmp_errno(uint8_t kind, uint8_t code, bint *hard) noexcept nogil:
    hard[0] = True
    if kind == ICMP_UNREACHABLE:
        if code == 0:
            hard[0] = False
            return ENETUNREACH
        if code == 1 or code == 5 or code == 6:
            return EACCES
        if code == CODE_NO_PORT:
            return ECONNREFUSED
        hard[0] = False
        return EHOSTUNREACH
    if kind == ICMP_PROBLEM:
        return EPROTO
    hard[0] = False
    return EHOSTUNREACH
