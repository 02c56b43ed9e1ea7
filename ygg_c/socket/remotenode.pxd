# What each remote node may take of a stack: memory for its connections' data, and places for the connections that it
# opens.
#
# A node is known by what its address and its /64 have in common, so that it counts once whatever addresses it sends
# from. Those that only have connections that are half-open or in TIME-WAIT are not here, but in tcp/lightnodes.pxd.
#
# Memory (ip/memory.pxd) is shared by dynamic thresholds (Choudhury and Hahne, 1998): a node may hold as much as is
# free, both ways together. Alone it gets half of what is shared, one connection a third, and there always is room for
# the next. What a node might hold more decides
#   how large a window its connections offer. What was offered stays offered; of what arrives there the rest, for which
#     there is no memory, is not acknowledged, and so sent again
#   whether data out of order is kept, a little earlier than data in order
#   how much its connections take from `send`, and when asyncio's transport asks an application to pause: one that
#     answers reads no more from a peer that does not take its answers
# Beyond that a connection may have LEAST_BUFFER, so that the others of its node do not stop it, until half of what is
# kept for that is in use; and a node LEAST_SHARE, so that others do not, until all of it is. There it ends.
#
# A connection itself counts too, at what it takes while it is idle: from when its handshake is done, or the program
# dials, until it has ended, and the application has read what had arrived or has closed it. A node has as many as there
# is memory for and a hundred in any case, as above.
#
# What a program says to itself, over an address of its stack, is its own affair and has no limit.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.lru cimport Aging, AgingList
from ygg_c.ip.memory cimport Memory

cdef enum:
    BUFFER_COST = 64                # bytes of memory that each piece in a queue costs besides its content
    CONNECTION_COST = 1344          # of a connection that is idle, with its places in tables
    NODE_COST = 320                 # of what is kept for a node that has any

# Of what a node may have most.
cdef enum Measure:
    OPENED = 0                      # connections that it opened
    ORPHANS
    ORPHANED                        # bytes that these hold
    BYTES
    MEASURES

cdef class RemoteNode:
    cdef RemoteNodes _all
    cdef uint8_t _name[8]           # the 7 bytes that its addresses have in common
    cdef bint ours
    cdef size_t _users              # connections that refer to it
    cdef size_t incoming            # those that it opened and that have not ended; TIME-WAIT is the end
    # those of them that are no orphans, by when they were last heard of, as far as a second matters
    cdef AgingList opened
    cdef AgingList orphans          # connections that the application gave up, by when it did
    cdef AgingList ahead            # connections that hold data out of order, by since when
    cdef AgingList unread           # connections that it opened, and that ended with data to be read, by when they did
    cdef size_t held[3]             # bytes of memory in its connections' queues, and of its connections
    cdef size_t _counted[3]         # those of them that leave less for others
    cdef size_t orphaned            # those of them that orphans hold
    # Bytes that one of its connections may have in a queue.
    cdef size_t allowance(self, int way) noexcept
    # Whether there is memory for so many bytes more that came in.
    cdef bint takes(self, size_t size, bint in_order) noexcept
    # Whether there is memory for one more connection.
    cdef bint takes_connection(self) noexcept
    # Bytes received that each of its connections may hold even if not.
    cdef size_t least(self) noexcept
    # A connection's queue has so much memory now.
    cdef void hold(self, int way, size_t before, size_t after) noexcept
    cdef void hold_orphan(self, size_t before, size_t after) noexcept
    cdef size_t total(self) noexcept
    cdef void add_orphan(self, Aging *place, void *connection, uint64_t now) noexcept
    cdef void remove_orphan(self, Aging *place) noexcept
    cdef size_t measure(self, Measure what) noexcept
    cdef void leave(self) noexcept              # one connection less refers to it
    cdef size_t _unused(self) noexcept

cdef class RemoteNodes:
    cdef ByteMap by_key
    cdef Memory memory
    cdef size_t orphans             # of all
    cdef size_t orphaned
    cdef void *_greediest[MEASURES]         # borrowed
    cdef uint64_t _looked_at[MEASURES]
    cdef RemoteNode find(self, const uint8_t *address)              # None when it has no connection
    # Bytes received that one of its connections may have, whether it has any yet or not.
    cdef size_t allowance(self, const uint8_t *address, bint ours) noexcept
    # Whether there is memory for one more connection with this node; None: for its first.
    cdef bint takes_connection(self, RemoteNode node) noexcept
    # The node that has most, as of at most a tenth of a second ago; None: no other node has any.
    cdef RemoteNode greediest(self, Measure what, uint64_t now)
    # The same, and `last` where none has more.
    cdef RemoteNode greediest_beside(self, RemoteNode last, Measure what, uint64_t now)
    # For a connection, which calls `leave` in the end. `ours`: the address is one of this stack.
    cdef RemoteNode enter(self, const uint8_t *address, bint ours)
