# TCP connections and listeners: what the application calls.

from libc.stdint cimport uint8_t, uint16_t, uint64_t

from ygg_c.remotenode cimport RemoteNode
from ygg_c.tcpmachine cimport Acceptor, TcpMachine

cdef class TcpConnection(TcpMachine):
    cdef void _was_read(self) noexcept
    cdef uint64_t _shown(self) noexcept
    cdef uint64_t _send_room(self) noexcept
    cdef int _write(self, object data, size_t limit) except -1

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
    cdef void _opened(self, TcpMachine connection) noexcept
