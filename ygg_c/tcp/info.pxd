# The figures of a connection.

from ygg_c.tcp.receiver cimport Receiver
from ygg_c.tcp.sender cimport Sender

# Those that its two halves know.
cdef dict flow_info(Sender sender, Receiver receiver)
