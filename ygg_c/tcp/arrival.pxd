# Segment arrival (RFC 9293, 3.10.7), and ICMPv6 errors that quote a segment of ours.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ygg_c.tcp.connection cimport TcpConnection
from ygg_c.tcp.wire cimport Segment

# A segment for `connection`, which may have ended afterwards.
cdef void segment_in(TcpConnection connection, const Segment *segment, uint64_t now) noexcept
# An error about the segment whose sequence number was `seq`; `parameter` is a path MTU for Packet Too Big.
cdef void icmp_in(TcpConnection connection, uint8_t kind, uint8_t code, uint32_t parameter, uint32_t seq) noexcept
# Whether a connection in TIME-WAIT leaves its place to a newer SYN.
cdef bint yields_to(TcpConnection connection, const Segment *segment) noexcept
