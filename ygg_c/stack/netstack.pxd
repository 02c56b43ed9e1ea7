# The stack: one or more addresses, and what is bound to them.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.sodium cimport Random
from ygg_c.socket.endpoint cimport Endpoint
from ygg_c.stack.demux cimport Demux, Prefix
from ygg_c.stack.udp cimport UdpSocket
from ygg_c.tcp.connection cimport TcpConnection

cdef class NetStack(Demux):
    cdef readonly bint down
    cdef int _pick_port(self, uint8_t *key) except -1
