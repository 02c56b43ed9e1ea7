# Fragmentation on sending (RFC 8200, 4.5), for what may be larger than the path takes: datagrams and echoes.

from libc.stdint cimport uint32_t

from ygg_c.base.packet cimport Packet, PacketQueue

# Bytes on the way of a packet of `size` bytes, once it is in packets of at most `mtu`.
cdef size_t wire_size(size_t size, size_t mtu) noexcept nogil
# Cut a packet without extension headers into fragments, at the end of `pieces`; takes ownership. False: without memory,
# and no piece is there.
cdef bint fragment(Packet *packet, size_t mtu, uint32_t identification, PacketQueue *pieces) noexcept
