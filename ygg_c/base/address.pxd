# The overlay's IPv6 addresses as functions of public keys (protocol 0.5, section 1).

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

# The overlay is 200::/7: addresses of nodes begin with the one byte, their subnets with the other.
cdef enum:
    ADDRESS_PREFIX = 0x02
    SUBNET_PREFIX = 0x03

# The 16-byte address inside 200::/7, and the 8-byte prefix of the routed /64.
cdef void key_address(const uint8_t *key, uint8_t *address) noexcept nogil
cdef void key_subnet(const uint8_t *key, uint8_t *subnet) noexcept nogil
# What a node's address and all of its /64 have in common: bytes 1 to 7.
cdef inline uint64_t address_node(const uint8_t *address) noexcept nogil:
    cdef uint64_t node = 0
    memcpy(&node, address + 1, 7)
    return node
# The key whose leading bits an address (or a subnet padded with zeros to 16 bytes) tells; all unknown bits are one.
cdef void partial_key(const uint8_t *address, uint8_t *key) noexcept nogil
# The form in which keys are looked up and put into filters: equal for all keys of one subnet.
cdef void lookup_key(const uint8_t *key, uint8_t *transformed) noexcept nogil
