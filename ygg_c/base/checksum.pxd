# The Internet checksum (RFC 1071). Sums are kept unfolded in 64 bits, in the machine's byte order; they add up in any
# order as long as each piece starts at an even offset of what is summed, or is given as odd.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef uint64_t sum_bytes(const uint8_t *data, size_t size, uint64_t total) noexcept nogil
# Copy and add in one pass; `odd` when the piece starts at an odd offset.
cdef uint64_t sum_copy(uint8_t *target, const uint8_t *data, size_t size, bint odd, uint64_t total) noexcept nogil
# The pseudo-header of RFC 8200, 8.1: `addresses` is source || destination.
cdef uint64_t sum_pseudo(const uint8_t *addresses, uint32_t size, uint8_t next_header) noexcept nogil

# The ones' complement sum as 16 bits in memory order: 0xffff over a packet whose checksum is right.
cdef inline uint16_t sum_fold(uint64_t total) noexcept nogil:
    total = (total >> 32) + <uint32_t>total
    total = (total >> 32) + <uint32_t>total
    total = (total >> 16) + (total & 0xffff)
    total = (total >> 16) + (total & 0xffff)
    return <uint16_t>((total >> 16) + (total & 0xffff))
