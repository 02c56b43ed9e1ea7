# The keys under which a stack finds endpoints: the ends of what they take. Ports are in network byte order.
#
#   bound   18 bytes: local address (zero: any) and port
#   pair    36 bytes: remote and local address, remote and local port

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from ygg_c.ip.header cimport SOURCE, TARGET, put16

cdef inline void bound_key(uint8_t *key, const uint8_t *address, uint32_t port) noexcept nogil:
    if address == NULL:
        memset(key, 0, 16)
    else:
        memcpy(key, address, 16)
    put16(key + 16, port)

cdef inline void pair_key(
    uint8_t *key, const uint8_t *remote, const uint8_t *local, uint32_t remote_port, uint32_t local_port
) noexcept nogil:
    memcpy(key, remote, 16)
    memcpy(key + 16, local, 16)
    put16(key + 32, remote_port)
    put16(key + 34, local_port)

# The pair of a packet of ours that an error quotes, as one of the peer's packets would be looked up. `offset` is that
# of its upper-layer header.
cdef inline void quoted_key(uint8_t *key, const uint8_t *quoted, size_t offset) noexcept nogil:
    memcpy(key, quoted + TARGET, 16)
    memcpy(key + 16, quoted + SOURCE, 16)
    memcpy(key + 32, quoted + offset + 2, 2)
    memcpy(key + 34, quoted + offset, 2)
