# A TCP connection as the application has it: what it may set and read, what it writes and takes, and how it gives the
# connection up. All else a connection is in its control block (tcb.pxd), which knows nothing of this.

from libc.stdint cimport uint64_t

from ygg_c.tcp.tcb cimport Tcb

cdef class TcpConnection(Tcb):
    cdef void _look_alive(self) noexcept
    cdef bint _can_read(self) except -1
    cdef void _was_read(self) noexcept
    cdef tuple _next_timer(self)
    cdef uint64_t _send_room(self) noexcept
    cdef int _write(self, object data, size_t limit) except -1
