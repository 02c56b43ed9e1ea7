# TCP's part of the way of a packet: the connection that a segment is for, or the listener that it asks for one.
#
#   in the table of connections    it is that connection's
#   half-open                      the ACK of our SYN makes a connection of it
#   in TIME-WAIT                   a duplicate is acknowledged; a newer SYN takes the place
#   none of them                   a SYN to a listener is answered, and remembered or made a cookie of; an ACK may bring
#                                  such a
#                                  cookie back; all else is reset

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.socket.endpoint cimport Host
from ygg_c.socket.remotenode cimport RemoteNode, RemoteNodes
from ygg_c.tcp.connection cimport TcpConnection
from ygg_c.tcp.halfopen cimport HalfOpen, HalfOpens
from ygg_c.tcp.light cimport LightTable
from ygg_c.tcp.listener cimport TcpListener
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.tcb cimport Tcb
from ygg_c.tcp.timewait cimport TimeWait, TimeWaits
from ygg_c.tcp.wire cimport Segment

cdef class TcpDemux(Host):
    cdef str _congestion
    cdef readonly TcpOptions options        # of connections for which no others are given
    cdef ByteMap by_ends            # Tcb.key → connection
    cdef ByteMap _listeners         # address, port → listener; address zero: any
    cdef LightTable _light          # connections that are half-open or in TIME-WAIT
    cdef HalfOpens _half_open
    cdef TimeWaits _time_waits
    cdef RemoteNodes _nodes
    cdef Budget _resets             # what all strangers share, each node its part
    cdef uint64_t _secret[4]
    cdef uint64_t _cookie_secret[2]
    cdef bint ours(self, const uint8_t *address) noexcept
    cdef void _tcp_in(self, uint8_t *data, size_t offset, size_t size) noexcept
    cdef void _refuse(self, const uint8_t *key, const Segment *segment) noexcept
    cdef TcpListener _listener(self, const uint8_t *key)
    # A segment that belongs to no connection.
    cdef void _knock(self, const uint8_t *key, const Segment *segment) noexcept
    cdef void _syn_in(self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss) noexcept
    cdef void _time_wait_in(self, TimeWait *wait, const Segment *segment) noexcept
    cdef bint _queue(
        self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss, bint arrived
    ) noexcept
    cdef void _send_cookie(self, TcpListener listener, const uint8_t *key, const Segment *syn) noexcept
    cdef bint _cookie_in(self, TcpListener listener, const uint8_t *key, const Segment *segment) noexcept
    cdef void _half_open_in(self, HalfOpen *half, const Segment *segment) noexcept
    # An ICMPv6 error that quotes what no connection has sent; False where it is not believed.
    cdef bint half_open_error(self, const uint8_t *key, const Segment *quoted, uint8_t kind, uint8_t code) noexcept
    cdef Tcb _admit(self, TcpListener listener, const uint8_t *key, const Segment *syn, uint32_t iss)
    cdef bint _has_place(self, const uint8_t *key, bint asking) noexcept
    cdef bint _has_memory(self, const uint8_t *key, RemoteNode node, bint asking) noexcept
    cdef size_t _strangers_places(self) noexcept
    # The connection that goes when another node asks for a place and none is free; None: that one has no better claim.
    cdef Tcb _victim(self, RemoteNode asking)
    cdef bint _make_room(self, RemoteNode asking) noexcept
    cdef uint32_t _first_number(self, const uint8_t *key) noexcept
    cdef TcpConnection _new_connection(self, const uint8_t *key, uint32_t iss, TcpOptions options)
    cdef void _clear_light(self) noexcept
