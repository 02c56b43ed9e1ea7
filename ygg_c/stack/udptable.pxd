# The UDP sockets of a stack: which one a datagram is for.

from libc.stdint cimport uint8_t, uint16_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.stack.udp cimport UdpSocket

cdef class UdpTable:
    cdef ByteMap _bound             # of sockets that are not connected (socket/ends.pxd)
    cdef ByteMap _connected
    cdef dict ports                 # port → sockets on it
    # The socket for a datagram whose ends are the pair `key`, and its target and port: connected, bound, wildcard.
    cdef UdpSocket find(self, const uint8_t *key, const uint8_t *target, uint16_t port)
    cdef bint add(self, UdpSocket socket) except -1         # False: the address is in use
    cdef list sockets(self)
