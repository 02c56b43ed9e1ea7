"""IPv6: the fixed header and the chain of extension headers."""

from libc.string cimport memcpy

cdef enum:
    PAD1 = 0
    MAX_HEADERS = 8         # a longer chain serves no honest purpose


cdef bint is_unspecified(const uint8_t *address) noexcept nogil:
    cdef int index
    for index in range(16):
        if address[index]:
            return False
    return True


cdef void write_header(
    uint8_t *header, size_t payload, uint8_t next_header, uint32_t flow, const uint8_t *source, const uint8_t *target
) noexcept nogil:
    put32(header, <uint32_t>6 << 28 | (flow & 0xfffff))
    put16(header + 4, <uint32_t>payload)
    header[6] = next_header
    header[7] = HOP_LIMIT
    memcpy(header + SOURCE, source, 16)
    memcpy(header + TARGET, target, 16)


cdef Walk _options(const uint8_t *packet, size_t at, size_t end, Chain *chain) noexcept nogil:
    # The options of one header (RFC 8200, 4.2). We know none but the paddings: the top bits say what to do.
    cdef uint8_t kind
    while at < end:
        kind = packet[at]
        if kind == PAD1:
            at += 1
            continue
        if end - at < 2 or end - at - 2 < packet[at + 1]:
            return WALK_DROP
        if kind >> 6 == 1:
            return WALK_DROP
        if kind >> 6 == 2 or (kind >> 6 == 3 and not is_multicast(packet + TARGET)):
            chain.code = 2
            chain.pointer = at
            return WALK_PROBLEM
        if kind >> 6 == 3:
            return WALK_DROP
        at += 2 + packet[at + 1]
    return WALK_UPPER


cdef Walk walk(const uint8_t *packet, size_t size, Chain *chain, bint strict) noexcept nogil:
    cdef size_t length
    cdef int count = 0
    cdef Walk result
    chain.next = packet[6]
    chain.offset = IP_HEADER
    chain.next_field = 6
    while True:
        if chain.next == NEXT_FRAGMENT:
            return WALK_FRAGMENT if size - chain.offset >= 8 else WALK_DROP
        if chain.next not in (NEXT_HOP_BY_HOP, NEXT_DESTINATION, NEXT_ROUTING):
            return WALK_UPPER
        if chain.next == NEXT_HOP_BY_HOP and count and strict:
            chain.code = 1
            chain.pointer = chain.next_field
            return WALK_PROBLEM
        count += 1
        if count > MAX_HEADERS or size - chain.offset < 8:
            return WALK_DROP
        length = 8 + <size_t>8 * packet[chain.offset + 1]
        if size - chain.offset < length:
            return WALK_DROP
        if not strict:
            pass
        elif chain.next == NEXT_ROUTING:
            # We forward nothing: with segments left the type is unrecognised, without it is skipped (RFC 8200, 4.4).
            if packet[chain.offset + 3]:
                chain.code = 0
                chain.pointer = chain.offset + 2
                return WALK_PROBLEM
        else:
            result = _options(packet, chain.offset + 2, chain.offset + length, chain)
            if result != WALK_UPPER:
                return result
        chain.next_field = chain.offset
        chain.next = packet[chain.offset]
        chain.offset += length


cdef bint upper_header(const uint8_t *packet, size_t size, Chain *chain) noexcept nogil:
    cdef Walk result = walk(packet, size, chain, False)
    if result == WALK_FRAGMENT and get16(packet + chain.offset + 2) & 0xfff8 == 0:
        chain.next = packet[chain.offset]
        chain.offset += 8
        return True
    return result == WALK_UPPER
