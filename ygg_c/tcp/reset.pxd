# A reset in answer to a segment that belongs to nothing (RFC 9293, 3.5.2).

from libc.stdint cimport uint8_t

from ygg_c.socket.endpoint cimport Host
from ygg_c.tcp.wire cimport Segment

# `key`: as in TcpEndpoint. A reset is not answered.
cdef void send_reset(Host host, const uint8_t *key, const Segment *segment) noexcept
