# Echo sockets: ICMPv6 echo requests (RFC 4443, 4) and what comes back.

from libc.stdint cimport uint8_t, uint16_t, uint64_t

from ygg_c.stack.datagrams cimport Datagram, DatagramSocket

cdef class EchoSocket(DatagramSocket):
    cdef uint64_t _tell_at
    cdef void deliver(self, const uint8_t *source, uint16_t sequence, int failure, const uint8_t *data,
                      size_t size) noexcept
