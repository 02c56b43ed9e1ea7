# What goes where memory is short, or where too many connections are left to end by themselves.
#
# Under pressure (ygg_c/ip/memory.pxd), when a segment needs memory:
#   0. connections give back what they keep for their next exchange: once, for none keeps any until pressure ends
#   1. what connections hold out of order is dropped, until memory is no longer short: those of the greediest node
#      first, then those of nodes that hold half as much. It has not been acknowledged, so it is sent again; what SACK
#      blocks have told of it the next ones no longer tell (RFC 2018, 8)
#   2. where a node is refused memory for data in order, the oldest idle connections of the node that has most go, if it
#      has twice as much, one after the other until there is enough: those that nothing came for in ten seconds; first
#      those that have ended and were not read, then those that hold something, then any. Their applications are told,
#      so that nothing is lost unsaid
# A new connection that there is no memory for has the last step alone, and there any connection will do.
#
# What an application has closed it cannot be told of any more, so none of these is in question. They have limits of
# their own: a time for each, a number and a part of the memory for all; beyond these the oldest of the node that has
# most goes, where it is for the memory only one whose peer takes too little.

from libc.stdint cimport uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.clock cimport SECOND
from ygg_c.ip.memory cimport Memory
from ygg_c.socket.endpoint cimport Host
from ygg_c.socket.remotenode cimport RemoteNode, RemoteNodes
from ygg_c.tcp.tcb cimport Tcb

cdef extern from *:
    """
    #define YGG_IDLE (10 * YGG_SECOND)
    """
    const uint64_t IDLE "YGG_IDLE"      # ns without a segment before a connection may go for another

# Step 0.
cdef void pressure_rest(Memory memory, ByteMap connections) noexcept
# The others: `asking` needs `size` bytes more.
cdef void pressure_relieve(Host host, RemoteNodes nodes, RemoteNode asking, size_t size, bint in_order) noexcept
# The same for a connection; None asks for its first.
cdef void pressure_admit(Host host, RemoteNodes nodes, RemoteNode asking, size_t size) noexcept
# The connection that would go for it, or None.
cdef Tcb pressure_victim(RemoteNodes nodes, RemoteNode asking, size_t size, uint64_t now)
# A connection to `last` was closed.
cdef void pressure_orphans(Host host, RemoteNodes nodes, RemoteNode last) noexcept
