# Packets of a stack as the blocks of a pcapng file (draft-ietf-opsawg-pcapng), kept in memory until they are taken.
#
# The stack calls `add` for each packet, on the data path; `due` then says that a good part of the memory is in use, and
# the stack tells the capture's owner at the end of the turn, as it tells events. What finds no memory is counted, not
# kept.
#
# It is no layer between gateway and stack (`ygg_c.ip.layer`): a recording also has what a stack sends to its own
# addresses, which gets to no layer, and what it sends while nothing is below; and it follows the stack from one node to
# the next. Nor would a layer cost less than the test for NULL that two calls make here.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef class Capture:
    cdef readonly size_t limit          # bytes of memory for blocks
    cdef readonly size_t snaplen        # bytes kept of each packet
    cdef readonly uint64_t packets      # seen
    cdef readonly uint64_t dropped      # of them those that found no room
    cdef public object on_ready         # called when half of the memory is in use; None: none is told
    cdef uint8_t *_blocks
    cdef size_t _size
    cdef size_t _room
    cdef int64_t _offset                # from the stack's clock to the time of day, ns
    cdef bint _told
    cdef void add(self, const uint8_t *packet, size_t size, bint outgoing, uint64_t now) noexcept
    cdef bint _grow(self, size_t size) noexcept
    # Tell the owner if that is due and has not been done. Runs Python.
    cdef void tell(self) noexcept
