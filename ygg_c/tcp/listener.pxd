# Listeners: half-open connections, and those that wait to be accepted.

from libc.stdint cimport uint8_t, uint16_t

from ygg_c.remotenode cimport RemoteNode
from ygg_c.tcp.base cimport Acceptor, TcpEndpoint
from ygg_c.tcp.connection cimport TcpConnection

cdef class TcpListener(Acceptor):
    cdef uint8_t local_address[16]
    cdef uint16_t local_port
    cdef readonly int backlog
    cdef public bint listening
    cdef list _queue                # completed, oldest first
    cdef dict _half                 # half-open connections, oldest first
    cdef bint full(self) noexcept
    cdef void begin(self, TcpConnection connection, size_t most) noexcept
    cdef TcpConnection _oldest_of(self, RemoteNode node)
    cdef void _opened(self, TcpEndpoint connection) noexcept
