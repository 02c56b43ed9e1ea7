# TCP connections: what the application calls.

from libc.stdint cimport uint64_t

from ygg_c.tcp.machine cimport TcpMachine

cdef class TcpConnection(TcpMachine):
    cdef void _was_read(self) noexcept
    cdef uint64_t _shown(self) noexcept
    cdef uint64_t _send_room(self) noexcept
    cdef int _write(self, object data, size_t limit) except -1
