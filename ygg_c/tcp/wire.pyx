"""TCP headers to structs, options to bytes."""

from ygg_c.ip.header cimport NOT_ECT, get16, get32, put16, put32

cdef enum:
    KIND_END = 0
    KIND_NOP = 1
    KIND_MSS = 2
    KIND_SCALE = 3
    KIND_SACK_PERMITTED = 4
    KIND_SACK = 5
    KIND_TIMESTAMP = 8


cdef void _parse_option(const uint8_t *option, int size, Segment *segment) noexcept nogil:
    cdef int index
    if option[0] == KIND_MSS and size == 4:
        segment.mss = get16(option + 2)
    elif option[0] == KIND_SCALE and size == 3:
        segment.scale = min(option[2], MAX_SCALE)
    elif option[0] == KIND_SACK_PERMITTED and size == 2:
        segment.sack_permitted = True
    elif option[0] == KIND_TIMESTAMP and size == 10:
        segment.stamped = True
        segment.ts_value = get32(option + 2)
        segment.ts_echo = get32(option + 6)
    elif option[0] == KIND_SACK and size >= 10 and (size - 2) % 8 == 0:
        segment.sacks = min((size - 2) // 8, MAX_SACKS)
        for index in range(2 * segment.sacks):
            segment.sack[index] = get32(option + 2 + 4 * index)


cdef bint parse_segment(uint8_t *tcp, size_t size, Segment *segment) noexcept nogil:
    cdef size_t header = <size_t>(tcp[12] >> 4) * 4 if size >= TCP_HEADER else 0
    cdef size_t at = TCP_HEADER
    if header < TCP_HEADER or header > size:
        return False
    segment.seq = get32(tcp + 4)
    segment.ack = get32(tcp + 8)
    segment.flags = tcp[13]
    segment.ecn = NOT_ECT
    segment.window = get16(tcp + 14)
    segment.data = tcp + header
    segment.size = size - header
    segment.mss = 0
    segment.scale = -1
    segment.sack_permitted = False
    segment.stamped = False
    segment.sacks = 0
    while at < header and tcp[at] != KIND_END:
        if tcp[at] == KIND_NOP:
            at += 1
            continue
        if header - at < 2 or tcp[at + 1] < 2 or header - at < tcp[at + 1]:
            break
        _parse_option(tcp + at, tcp[at + 1], segment)
        at += tcp[at + 1]
    return True


cdef void write_tcp(
    uint8_t *tcp, uint64_t position, uint64_t ack, size_t size, uint8_t flags, uint16_t window
) noexcept nogil:
    put32(tcp + 4, <uint32_t>position)
    put32(tcp + 8, <uint32_t>ack)
    tcp[12] = <uint8_t>(size << 2)
    tcp[13] = flags
    put16(tcp + 14, window)
    put32(tcp + 16, 0)


cdef uint8_t *write_syn_options(uint8_t *at, uint16_t mss, int scale, bint sack) noexcept nogil:
    at[0], at[1] = KIND_MSS, 4
    put16(at + 2, mss)
    at += 4
    if scale >= 0:
        at[0], at[1], at[2], at[3] = KIND_NOP, KIND_SCALE, 3, <uint8_t>scale
        at += 4
    if sack:
        at[0], at[1], at[2], at[3] = KIND_NOP, KIND_NOP, KIND_SACK_PERMITTED, 2
        at += 4
    return at


cdef uint8_t *write_timestamp(uint8_t *at, uint32_t value, uint32_t echo) noexcept nogil:
    at[0], at[1], at[2], at[3] = KIND_NOP, KIND_NOP, KIND_TIMESTAMP, 10
    put32(at + 4, value)
    put32(at + 8, echo)
    return at + TIMESTAMP_ROOM


cdef uint8_t *write_sacks(uint8_t *at, const uint64_t *blocks, int count) noexcept nogil:
    cdef int index
    at[0], at[1], at[2], at[3] = KIND_NOP, KIND_NOP, KIND_SACK, <uint8_t>(2 + 8 * count)
    at += 4
    for index in range(2 * count):
        put32(at, <uint32_t>blocks[index])
        at += 4
    return at
