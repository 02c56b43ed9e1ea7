# UDP (RFC 768) and echo sockets: datagrams in, kept compactly until the application takes them all at once. What a
# socket keeps has a limit of its own, and is part of the stack's memory, of which a node's datagrams may have a share
# (ip/memory.pxd).

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.socket.endpoint cimport Endpoint

cdef enum:
    UDP_HEADER = 8
    MEMO = 16
    MAX_PAYLOAD = 65535         # of an IPv6 packet, fragmented or not

cdef struct DatagramHeader:     # in front of each datagram in the store
    uint8_t source[16]
    uint64_t arrival
    uint16_t size
    uint16_t origin             # of its node, as Memory knows it
    uint16_t port               # or an echo reply's sequence number
    uint16_t failure            # errno of an error that came back, 0 for a datagram

# A bounded store of records, filled at the tail, emptied from the head.
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
    cdef public size_t queue_limit
    cdef public bint dont_fragment
    cdef void _account(self, size_t before) noexcept
    cdef void _spare(self) noexcept
    cdef void _clear(self) noexcept
    cdef DatagramHeader *_next(self) noexcept
    # Whether a packet of `size` bytes may leave for `target` now, in packets of at most `mtu`; EMSGSIZE when it never
    # may.
    cdef size_t _wanted         # bytes that it was refused to send, and where to
    cdef uint8_t _target[16]
    # bytes it may send whatever the link says: its turn has come before; negative: more than its share
    cdef int64_t _granted
    cdef bint _may_send(self, const uint8_t *target, size_t size, size_t mtu) except -1
    cdef readonly size_t dropped
    cdef bint keep(self, const uint8_t *source, uint16_t port, int failure, const uint8_t *data, size_t size) noexcept

cdef class UdpSocket(DatagramSocket):
    cdef bint connected
    cdef uint8_t remote_address[16]
    cdef uint16_t remote_port
    cdef list _memo             # (address, port) tuples lately built, by hash of the source
    # A datagram for this socket; `failed`: an ICMPv6 error quoted one of ours.
    cdef void deliver(self, const uint8_t *source, uint16_t port, const uint8_t *data, size_t size) noexcept
    cdef void failed(self, int code) noexcept
    cdef object _source(self, DatagramHeader *record)

cdef class EchoSocket(DatagramSocket):
    cdef uint64_t _tell_at
    cdef void deliver(self, const uint8_t *source, uint16_t sequence, int failure, const uint8_t *data,
                      size_t size) noexcept
