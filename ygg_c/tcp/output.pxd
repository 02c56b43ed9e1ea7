# What the sender sends next, and when: what is lost first, new data by Nagle's algorithm and within the windows, a
# probe.
#
# The functions are the sender's: each is given it, and its connection.

from libc.stdint cimport uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.sender cimport Sender

# Send what may leave now; True when more could follow and others should have their turn first.
cdef bint output_flush(Sender sender, TcpEndpoint connection, uint64_t now) noexcept
