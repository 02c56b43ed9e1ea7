# Where a link's transport is read to. All links of a host share one large buffer while each handles all that it has
# read; who keeps something has a buffer of its own for that, of a few bytes where it is the beginning of a frame.

from libc.stdint cimport uint8_t

cdef enum:
    RX_BUFFER = 266240              # bytes asked of one read; holds the largest frame twice over

cdef class ReadPool:
    cdef void *_spare               # a buffer of RX_BUFFER bytes that is not in use

cdef struct ReadBuffer:
    uint8_t *bytes                  # NULL: none is in use
    size_t size                     # of that
    size_t fill                     # bytes read and not handled: in `bytes`, or while that is NULL in `stash`
    uint8_t *stash                  # a short rest of a frame, kept so that `bytes` can serve other links

# Have `bytes` for what comes next; False: no memory.
cdef bint buffer_open(ReadBuffer *buffer, ReadPool pool) noexcept
cdef bint buffer_resize(ReadBuffer *buffer, size_t size) noexcept
# What begins at `start` is kept, all before it was handled; `bytes` go back when that is little.
cdef void buffer_keep(ReadBuffer *buffer, ReadPool pool, size_t start) noexcept
cdef void buffer_trim(ReadBuffer *buffer) noexcept          # what is kept may stay for a while
cdef void buffer_give_back(ReadBuffer *buffer, ReadPool pool) noexcept
cdef void buffer_free(ReadBuffer *buffer) noexcept          # all of it
