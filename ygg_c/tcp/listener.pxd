# Listeners: half-open connections, and those that wait to be accepted.

from libc.stdint cimport uint8_t, uint16_t, uint64_t

from ygg_c.tcp.base cimport Acceptor
from ygg_c.tcp.halfopen cimport HalfOpenList, HalfOpens

cdef class TcpListener(Acceptor):
    cdef uint8_t local_address[16]
    cdef uint16_t local_port
    cdef readonly int backlog
    cdef public bint listening
    cdef HalfOpens half_opens       # those of the stack
    cdef HalfOpenList half_open     # its own
    cdef uint64_t cookie_until      # until then a cookie may come back, ns
    cdef int cookie_scale           # of the windows of their connections: it has to be what the peers were told
    cdef list _queue                # completed, oldest first; those that have ended since are among them
    cdef Py_ssize_t _first          # in the queue: those before were accepted
    cdef Py_ssize_t _waiting        # those that have not ended
    cdef bint full(self) noexcept
    cdef void _compact(self) noexcept
