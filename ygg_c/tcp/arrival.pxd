# Segment arrival (RFC 9293, 3.10.7).

from libc.stdint cimport uint64_t

from ygg_c.tcp.tcb cimport Tcb
from ygg_c.tcp.wire cimport Segment

# A segment for `connection`, which may have ended afterwards.
cdef void segment_in(Tcb connection, const Segment *segment, uint64_t now) noexcept
