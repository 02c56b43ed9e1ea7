# ICMPv6 errors that quote a segment of ours (RFC 5927, RFC 8201).
#
# Any node may send one. It is believed where it quotes what is in flight: a number that is hard to guess, with a
# timestamp of late that is next to impossible to.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.tcp.tcb cimport Tcb
from ygg_c.tcp.wire cimport Segment

# A Packet Too Big about a segment that was larger than `mtu`; False where it is not believed.
cdef bint too_big(Tcb connection, const Segment *quoted, size_t mtu, uint64_t now) noexcept
# Another error; likewise.
cdef bint error_in(Tcb connection, const Segment *quoted, uint8_t kind, uint8_t code, uint64_t now) noexcept
