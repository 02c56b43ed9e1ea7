# ICMPv6 of a stack (RFC 4443): echo both ways, errors about what arrives, errors that arrive.
#
# An error is given to the socket whose packet it quotes, as far as it is believed: it has to quote a segment that TCP
# has under way, or to come from the node that the datagram was for. What it says of the path is noted.

from libc.stdint cimport uint8_t, uint32_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.ip.pathmtu cimport PathMtus
from ygg_c.stack.udptable cimport UdpTable
from ygg_c.tcp.demux cimport TcpDemux

cdef class Icmp:
    cdef ByteMap sockets            # identifier → EchoSocket
    cdef UdpTable _udp
    cdef PathMtus _paths
    # What all strangers share, each node its part: ICMPv6 errors, echo replies.
    cdef Budget _errors
    cdef Budget _echoes
    # A message at `offset` of a packet. `stack`: whose packet it is; it has this object, and not the other way round.
    cdef void message_in(self, TcpDemux stack, uint8_t *data, size_t offset, size_t size) noexcept
    # Send an error about a packet that arrived if the rate and the link allow one; nothing waits for it.
    cdef void report(
        self, TcpDemux stack, const uint8_t *data, size_t size, uint8_t kind, uint8_t code, uint32_t parameter
    ) noexcept
    cdef bint _may_echo(self, TcpDemux stack, const uint8_t *address, size_t size, size_t mtu) noexcept
    cdef void _echo_in(self, TcpDemux stack, uint8_t *data, uint8_t *message, size_t length) noexcept
    # Give an error to the socket whose packet it quotes; False where it quotes nothing of ours, or is not believed.
    cdef bint _error_in(self, TcpDemux stack, const uint8_t *source, const uint8_t *message, size_t size) noexcept
    cdef bint _tcp_error(
        self, TcpDemux stack, const uint8_t *message, const uint8_t *quoted, size_t offset, size_t length
    ) noexcept
    cdef bint _udp_error(self, TcpDemux stack, const uint8_t *message, const uint8_t *quoted, size_t offset) noexcept
    cdef bint _echo_error(
        self, TcpDemux stack, const uint8_t *source, const uint8_t *message, const uint8_t *quoted, size_t offset
    ) noexcept
