"""What ICMPv6 errors do to connections; see icmp.pxd."""

from libc.stdint cimport uint32_t

from ygg_c.ip.header cimport MIN_MTU
from ygg_c.ip.icmp cimport icmp_errno
from ygg_c.tcp.pmtud cimport pmtud_told
from ygg_c.tcp.state cimport ESTABLISHED, UNREACHABLE
from ygg_c.tcp.wire cimport unwrap

cdef enum:
    LATEST = 120000         # ms that a segment in flight may be old when an error quotes it


cdef bint _in_flight(Tcb connection, const Segment *quoted, uint64_t now) noexcept:
    cdef uint64_t una = connection.sender.una
    if not una <= unwrap(quoted.seq, una) < connection.sender.nxt:
        return False
    return not connection.stamps or (quoted.stamped and connection.stamp(now) - quoted.ts_value <= <uint32_t>LATEST)


cdef bint too_big(Tcb connection, const Segment *quoted, size_t mtu, uint64_t now) noexcept:
    if not _in_flight(connection, quoted, now):
        return False
    pmtud_told(connection.sender, max(mtu, <size_t>MIN_MTU), connection, now)
    return True


cdef bint error_in(Tcb connection, const Segment *quoted, uint8_t kind, uint8_t code, uint64_t now) noexcept:
    cdef bint hard
    cdef int failure = icmp_errno(kind, code, &hard)
    if not _in_flight(connection, quoted, now):
        return False
    if hard and connection.tcp_state < ESTABLISHED:
        connection.end(UNREACHABLE, failure)
    else:
        connection.sender.soft_error = failure
    return True
