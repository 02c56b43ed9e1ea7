# What UDP and echo sockets have in common: datagrams that came are kept compactly until the application takes them all
# at once, and what leaves waits for room. What a socket keeps has a limit of its own, and is part of the stack's
# memory, of which a node's datagrams may have a share (ip/memory.pxd).

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t

from ygg_c.socket.endpoint cimport Endpoint

cdef enum:
    MAX_PAYLOAD = 65535         # of an IPv6 packet, fragmented or not

cdef struct Datagram:           # in front of the bytes of each in the store
    uint8_t source[16]
    uint64_t arrival
    uint16_t size
    uint16_t origin             # of its node, as Memory knows it
    uint16_t port               # or an echo reply's sequence number
    uint16_t failure            # errno of an error that came back, 0 for a datagram

# A bounded store of datagrams, filled at the tail, emptied from the head.
cdef struct Store:
    uint8_t *bytes
    size_t room
    size_t head
    size_t tail
    size_t count

cdef class DatagramSocket(Endpoint):
    cdef uint8_t local_address[16]
    cdef uint16_t local_port    # or the echo identifier
    cdef Store _store
    cdef int full_count         # the counter of what found it full
    cdef public size_t queue_limit
    cdef public bint dont_fragment
    cdef readonly size_t dropped
    cdef size_t _wanted         # bytes that it was refused to send, and where to
    cdef uint8_t _target[16]
    # bytes it may send whatever the link says: its turn has come before; negative: more than its share
    cdef int64_t _granted
    cdef bint keep(self, const uint8_t *source, uint16_t port, int failure, const uint8_t *data, size_t size) noexcept
    # The oldest datagram, its bytes behind it; valid until the next one is kept. NULL: none is left.
    cdef Datagram *next(self) noexcept
    cdef void spare(self) noexcept      # the last one was taken: give back memory where it is short
    # Whether a packet of `size` bytes may leave for `target` now, in packets of at most `mtu`; EMSGSIZE when it never
    # may.
    cdef bint may_send(self, const uint8_t *target, size_t size, size_t mtu) except -1
    cdef const uint8_t *own_address(self) noexcept
    cdef void _account(self, size_t before) noexcept
    cdef void _clear(self) noexcept
