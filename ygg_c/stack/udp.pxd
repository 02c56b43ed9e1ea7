# UDP sockets (RFC 768).

from libc.stdint cimport uint8_t, uint16_t

from ygg_c.stack.datagrams cimport Datagram, DatagramSocket

cdef enum:
    UDP_HEADER = 8
    MEMO = 16

cdef class UdpSocket(DatagramSocket):
    cdef bint connected
    cdef uint8_t remote_address[16]
    cdef uint16_t remote_port
    cdef dict ports             # of its table: port → sockets on it
    cdef list _memo             # (address, port) tuples lately built, by hash of the source
    # A datagram for this socket; `failed`: an ICMPv6 error quoted one of ours.
    cdef void deliver(self, const uint8_t *source, uint16_t port, const uint8_t *data, size_t size) noexcept
    cdef void failed(self, int code) noexcept
    cdef void write_key(self, uint8_t *key) noexcept    # by which it is found: a pair, or its bound end
    cdef object _source(self, Datagram *datagram)
