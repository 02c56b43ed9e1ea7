# The way of each packet: checked, put together from fragments, looked up by its ends, given to the endpoint it is for.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.packet cimport Packet, PacketQueue
from ygg_c.ip.header cimport Chain
from ygg_c.ip.pathmtu cimport PathMtus
from ygg_c.ip.reassembly cimport Reassembler
from ygg_c.stack.capture cimport Capture
from ygg_c.stack.renewal cimport Renewals
from ygg_c.stack.udp cimport UdpSocket
from ygg_c.tcp.demux cimport TcpDemux

cdef struct Prefix:
    uint8_t address[16]
    int length

cdef class Demux(TcpDemux):
    cdef readonly bint closed
    cdef public Capture capture      # None: packets are not recorded
    cdef Prefix *_prefixes
    cdef int _prefix_count
    cdef ByteMap _udp               # address, port → socket that is not connected; address zero: any
    cdef ByteMap _udp_connected     # as _connections
    cdef ByteMap _echo              # identifier → socket
    cdef Renewals _renewals
    cdef PathMtus _paths
    cdef Reassembler _reassembler
    cdef bint _reassembling
    cdef PacketQueue _loop          # packets to ourselves
    # What all strangers share, each node its part: ICMPv6 errors, echo replies.
    cdef Budget _errors
    cdef Budget _echoes
    cdef void _flush(self, uint64_t now) noexcept
    cdef void _demux(self, uint8_t *data, size_t size, bint whole) noexcept
    cdef void _fragment_in(self, uint8_t *data, size_t size, Chain *chain) noexcept
    cdef void _udp_in(self, uint8_t *data, size_t offset, size_t size) noexcept
    cdef bint _may_echo(self, const uint8_t *address, size_t size, size_t mtu) noexcept
    cdef void _echo_in(self, uint8_t *data, uint8_t *message, size_t length) noexcept
    cdef void _icmp_in(self, uint8_t *data, size_t offset, size_t size) noexcept
    cdef void _icmp_error_in(self, uint8_t *data, size_t offset, size_t size) noexcept
    cdef void _report(self, const uint8_t *data, size_t size, uint8_t kind, uint8_t code, uint32_t parameter) noexcept
    cdef bint _error_taken(self, const uint8_t *source, const uint8_t *message, size_t size) noexcept
    cdef bint _tcp_error(
        self, const uint8_t *message, const uint8_t *quoted, size_t offset, size_t length
    ) noexcept
    cdef bint _udp_error(self, const uint8_t *message, const uint8_t *quoted, size_t offset) noexcept
    cdef bint _echo_error(
        self, const uint8_t *source, const uint8_t *message, const uint8_t *quoted, size_t offset
    ) noexcept
    cdef void _expire_fragments(self) noexcept
    cdef UdpSocket _udp_socket(self, const uint8_t *key, const uint8_t *target, uint16_t port)
