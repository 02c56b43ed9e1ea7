# IPv6 headers (RFC 8200): writing the fixed one, walking the extension headers of what arrives.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    IP_HEADER = 40
    MIN_MTU = 1280
    NEXT_HOP_BY_HOP = 0
    NEXT_TCP = 6
    NEXT_UDP = 17
    NEXT_ROUTING = 43
    NEXT_FRAGMENT = 44
    NEXT_ICMPV6 = 58
    NEXT_NONE = 59
    NEXT_DESTINATION = 60
    HOP_LIMIT = 64
    SOURCE = 8              # offsets in the header
    TARGET = 24

# The ECN field, the low bits of the traffic class (RFC 3168, 5).
cdef enum:
    NOT_ECT = 0
    ECT_1 = 1
    ECT_0 = 2
    CE = 3

cdef enum Walk:
    WALK_UPPER = 0          # `next` at `offset` is an upper-layer header, or NEXT_NONE
    WALK_FRAGMENT           # a fragment header is at `offset`
    WALK_DROP
    WALK_PROBLEM            # send Parameter Problem `code` pointing at `pointer`

cdef struct Chain:
    uint8_t next
    size_t offset
    size_t next_field       # where the value of `next` was read
    uint8_t code
    size_t pointer

cdef inline uint16_t get16(const uint8_t *data) noexcept nogil:
    return <uint16_t>(data[0] << 8 | data[1])

cdef inline uint32_t get32(const uint8_t *data) noexcept nogil:
    return <uint32_t>data[0] << 24 | <uint32_t>data[1] << 16 | <uint32_t>data[2] << 8 | data[3]

cdef inline void put16(uint8_t *data, uint32_t value) noexcept nogil:
    data[0] = (value >> 8) & 255
    data[1] = value & 255

cdef inline void put32(uint8_t *data, uint32_t value) noexcept nogil:
    put16(data, value >> 16)
    put16(data + 2, value & 0xffff)

cdef inline uint8_t get_ecn(const uint8_t *packet) noexcept nogil:
    return packet[1] >> 4 & 3

# Over NOT_ECT, or over anything where it is CE.
cdef inline void put_ecn(uint8_t *packet, uint8_t ecn) noexcept nogil:
    packet[1] |= ecn << 4

cdef inline bint is_multicast(const uint8_t *address) noexcept nogil:
    return address[0] == 0xff

cdef bint is_unspecified(const uint8_t *address) noexcept nogil
cdef void write_header(
    uint8_t *header, size_t payload, uint8_t next_header, uint32_t flow, const uint8_t *source, const uint8_t *target
) noexcept nogil
# Walk the extension headers of a packet whose fixed header was checked: `size` is its whole length. Unless `strict`,
# what they say is not obeyed.
cdef Walk walk(const uint8_t *packet, size_t size, Chain *chain, bint strict) noexcept nogil
# Find the upper-layer header of a packet that is quoted in an error, in a first fragment too; False where there is
# none.
cdef bint upper_header(const uint8_t *packet, size_t size, Chain *chain) noexcept nogil
