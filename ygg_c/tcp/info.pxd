# The figures of a connection.

from libc.stdint cimport uint64_t

from ygg_c.tcp.base cimport TcpEndpoint
from ygg_c.tcp.receiver cimport Receiver
from ygg_c.tcp.sender cimport Sender

# Those that its two halves know.
cdef dict flow_info(TcpEndpoint connection, Sender sender, Receiver receiver, uint64_t now)
