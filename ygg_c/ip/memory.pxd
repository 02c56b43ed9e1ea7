# The bytes of memory that a stack holds for others, as Linux's tcp_mem has them: what connections received and what
# they are to send, with their scoreboards; datagrams that wait in sockets; what is being put together from fragments;
# and connections themselves, by what each takes when it is idle, with those that are half-open or in TIME-WAIT.
#
#   0 ········ low ····· pressure ····· shared ········· limit
#              1/2         5/8           3/4
#
# Up to `shared` remote nodes share by dynamic thresholds (socket/remotenode.pxd): each may hold as much as is free.
# What is beyond is kept for the little that each node and each connection may hold in any case. Beyond `pressure`,
# until no more than `low` is in use, nothing grows by itself, windows are offered half as large, and a connection that
# needs memory has others give back theirs (tcp/pressure.pxd).
#
# Datagrams and fragments count for the node that they came from, too. It has no object here, and nodes can be many: so
# they count by a hash of it, and those that share one share a part.

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    INBOUND = 0
    OUTBOUND = 1
    OBJECTS = 2                     # connections, and what is kept for their nodes

cdef enum:
    LEAST_BUFFER = 16384            # bytes that a connection may hold, if not all of what is kept is in use
    LEAST_SHARE = 131072            # bytes that a node may hold: two of the largest segments
    DATAGRAM_HOLDERS = 1024

cdef class Memory:
    cdef size_t limit
    cdef size_t held[3]
    cdef size_t total               # of these
    cdef bint pressed
    cdef bint relieves              # since then connections have given back what they kept for what comes next
    cdef uint64_t relieved_at       # when an endpoint was last asked to give back
    cdef uint32_t _datagrams[DATAGRAM_HOLDERS]
    cdef void set_limit(self, size_t limit) noexcept
    # A buffer has so much now, or a connection is there or gone.
    cdef void change(self, int way, size_t before, size_t after) noexcept
    cdef size_t shared(self) noexcept
    cdef size_t free(self) noexcept                 # of what is shared
    # Whether there is room for `size` bytes more, of which each node may have a little in any case and this one has
    # `held`.
    cdef bint has_reserve(self, size_t held, size_t size) noexcept
    # Whether there is room for something small that is gone again soon.
    cdef bint has_room(self, size_t size) noexcept
    # Of a node by its hash: whether its datagrams may hold `size` bytes more, and that they do.
    cdef bint takes_datagram(self, uint64_t origin, size_t size) noexcept
    cdef void keep_datagram(self, uint64_t origin, size_t size) noexcept
    cdef void drop_datagram(self, uint64_t origin, size_t size) noexcept
