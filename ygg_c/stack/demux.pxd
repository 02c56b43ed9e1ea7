# The way of each packet: checked, put together from fragments, looked up by its ends, given to the endpoint it is for.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.packet cimport Packet
from ygg_c.ip.header cimport Chain
from ygg_c.ip.pathmtu cimport PathMtus
from ygg_c.ip.reassembly cimport Reassembler
from ygg_c.stack.capture cimport Capture
from ygg_c.stack.icmp cimport Icmp
from ygg_c.stack.loopback cimport Loopback
from ygg_c.stack.renewal cimport Renewals
from ygg_c.stack.udptable cimport UdpTable
from ygg_c.tcp.demux cimport TcpDemux

cdef struct Prefix:
    uint8_t address[16]
    int length

cdef class Demux(TcpDemux):
    cdef readonly bint closed
    cdef public Capture capture      # None: packets are not recorded
    cdef Prefix *_prefixes
    cdef int _prefix_count
    cdef UdpTable _udp
    cdef Icmp _icmp
    cdef Renewals _renewals
    cdef PathMtus _paths
    cdef Reassembler _reassembler
    cdef bint _reassembling
    cdef Loopback _loopback
    cdef void _flush(self, uint64_t now) noexcept
    cdef void _demux(self, uint8_t *data, size_t size, bint whole) noexcept
    cdef void _fragment_in(self, uint8_t *data, size_t size, Chain *chain) noexcept
    cdef void _udp_in(self, uint8_t *data, size_t offset, size_t size) noexcept
    cdef void _expire_fragments(self) noexcept
