# What the sender does with an ACK: the peer's window, the scoreboard, the round trip, and what the application may wait
# for.
#
# The functions are the sender's: each is given it, and its connection.

from libc.stdint cimport uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.sender cimport Sender
from ygg_c.tcp.wire cimport Segment

# Take the ACK of an acceptable segment; False when it acknowledges what was never sent.
cdef bint acknowledge(
    Sender sender, const Segment *segment, uint64_t position, TcpEndpoint connection, uint64_t now
) noexcept
# The same of the SYN,ACK, which acknowledges our SYN.
cdef void acknowledge_syn(Sender sender, uint64_t ack, const Segment *segment, TcpEndpoint connection,
                          uint64_t now) noexcept
