# A segment that leaves, as a packet: the sender's data, and what the receiver has to say with it.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet
from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.receiver cimport Receiver
from ygg_c.tcp.sender cimport Sender

# Bytes that SACK blocks take beside a full segment.
cdef size_t sack_room(TcpEndpoint connection, Receiver receiver) noexcept
# The packet of `size` bytes from `position`; NULL: no memory. SACK blocks that do not fit beside the data are left out.
cdef Packet *make_segment(
    TcpEndpoint connection, Sender sender, Receiver receiver, uint64_t position, size_t size, uint8_t flags,
    uint64_t now
) noexcept
