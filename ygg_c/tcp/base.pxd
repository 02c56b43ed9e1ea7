# A TCP connection as its two halves and its listener know it.
#
# The sender and the receiver are parts of a connection and do not know it: each call gives it to them. So there is no
# circle of references, and a connection is freed with its last user.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ygg_c.base.clock cimport MS
from ygg_c.socket.endpoint cimport Endpoint
from ygg_c.socket.remotenode cimport RemoteNode
from ygg_c.tcp.options cimport TcpOptions
from ygg_c.tcp.state cimport Event, State

cdef class TcpEndpoint(Endpoint):
    cdef RemoteNode node            # what its connections may have together; None once this one has left
    cdef void *remains              # its place in TIME-WAIT, which it has left the stack for; NULL: none
    # remote address, local address, remote port, local port: as an incoming packet has them
    cdef uint8_t key[36]
    cdef State tcp_state
    cdef uint32_t stamp_offset
    cdef uint32_t flow              # flow label (RFC 6437)
    cdef uint32_t pseudo            # sum of the pseudo-header but for the length
    cdef uint8_t orphan             # the application gave it up
    cdef uint8_t stamps             # timestamps are in use (RFC 7323)
    cdef uint8_t sack               # SACK is in use (RFC 2018)
    # The state after `event`. What cannot happen is counted and changes nothing: False.
    cdef bint step(self, Event event) noexcept
    # Send one segment: `size` bytes of the stream from `position`, which is the sequence number. The acknowledgement,
    # the window and the options are the receiver's. SACK blocks that do not fit beside the data are left out.
    cdef void transmit(self, uint64_t position, size_t size, uint8_t flags, uint64_t now) noexcept
    # Bytes that SACK blocks take in the next segment, from the data of a full one.
    cdef size_t sack_size(self) noexcept
    # No answer for too long: end with this errno, and tell the peer unless the handshake is not done.
    cdef void expire(self, int code) noexcept
    cdef void account(self) noexcept                                # after the queues or their ranges have changed
    cdef inline uint32_t stamp(self, uint64_t now) noexcept:        # the timestamp of a segment that leaves now
        return <uint32_t>(now // MS) + self.stamp_offset

# The listener, as its half-open connections know it.
cdef class Acceptor(Endpoint):
    cdef readonly TcpOptions options        # of those that it accepts
    cdef bint promote(self, TcpEndpoint connection) noexcept    # the handshake completed; False: no room to keep it
    cdef void forget(self, TcpEndpoint connection) noexcept     # it ended before it was accepted
