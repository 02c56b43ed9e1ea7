# The remote nodes of connections that are structs: how many each of them has. There may be as many nodes as
# connections, so what is kept for one is a slot of 24 bytes in a hash table, and no object as for nodes with
# established connections (socket/remotenode.pxd).

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef struct LightNode:
    uint8_t name[7]             # what its addresses have in common, as in RemoteNodes
    uint8_t ours                # the address is one of this stack
    uint32_t count              # its connections here; 0: the slot is free
    uint32_t fresh              # half-open ones whose SYN has been answered once
    void *newest                # those in TIME-WAIT: the one that ends last

cdef class LightNodes:
    cdef LightNode *_slots
    cdef size_t _mask
    cdef size_t used
    cdef uint64_t _seed[2]
    cdef uint8_t _greediest[16]     # an address of that node
    cdef uint64_t _looked_at
    # What is returned moves with the next `enter` or `leave`. NULL: it has none here.
    cdef LightNode *find(self, const uint8_t *address) noexcept
    # One connection more; NULL: no memory.
    cdef LightNode *enter(self, const uint8_t *address, bint ours) noexcept
    cdef void leave(self, const uint8_t *address) noexcept
    # The node that has most, as of at most a tenth of a second ago; NULL: no other node has any.
    cdef LightNode *greediest(self, uint64_t now) noexcept
    cdef LightNode *_slot(self, const uint8_t *name) noexcept
    cdef bint _resize(self, size_t slots) noexcept
