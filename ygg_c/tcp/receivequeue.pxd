# What arrived and was not read: a chain of bytes objects under construction that covers the window as far as anything
# arrived. Data goes in at its place, in order or not; the ranges beyond `next` are the SACK information. A chunk is
# handed to the application itself when nothing else will be written to it.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from cpython.ref cimport PyObject

from ygg_c.base.ranges cimport Ranges

cdef enum:
    CHUNK_LEAST = 960       # of a small message alone
    CHUNK_SMALL = 16384
    CHUNK_LARGE = 65536     # below malloc's mmap threshold: fresh pages for each chunk cost more than the calls saved
    # a window that overflows a long queue has hundreds of holes; who opens more has the surplus dropped
    MAX_RANGES = 2048
    COPY_BELOW = 4096       # less than this is copied out of its chunk

cdef struct Chunk:
    PyObject *bytes
    uint8_t *content        # of `bytes`
    uint64_t base           # position of its first byte; the chunks follow one another without gaps
    size_t size

# Read to its end it keeps its memory for what comes next, with one chunk that is not large, until `received_rest`.
cdef struct ReceiveQueue:
    Chunk *chunks           # a ring; its room is a power of two
    uint64_t read           # position of the next byte to read
    uint64_t next           # position of the first byte missing
    size_t held             # bytes of memory in chunks
    Ranges ranges           # what arrived beyond `next`
    uint32_t mask
    uint32_t first
    uint32_t count
    uint32_t grain          # size of the next chunk

cdef inline void received_start(ReceiveQueue *queue, uint64_t position) noexcept:
    queue.read = queue.next = position
    queue.grain = CHUNK_SMALL

# Put bytes at `position` (at least `next`); False when there is no room for them or for another hole.
cdef bint received_insert(ReceiveQueue *queue, uint64_t position, const uint8_t *data, size_t size) noexcept
cdef object received_take(ReceiveQueue *queue, size_t limit)
# what is writable; return how many bytes
cdef Py_ssize_t received_fill(ReceiveQueue *queue, object buffer) except -1
cdef void received_clear(ReceiveQueue *queue) noexcept                          # drop everything, read or not
cdef void received_renege(ReceiveQueue *queue) noexcept                         # drop what is beyond `next`
cdef void received_rest(ReceiveQueue *queue) noexcept                           # free what an empty one keeps
cdef uint64_t received_covered(const ReceiveQueue *queue) noexcept              # the position where the chunks end
# Bytes of memory that it takes to put in what is from `position` to `end`.
cdef size_t received_growth(const ReceiveQueue *queue, uint64_t position, uint64_t end) noexcept
cdef void received_spare(ReceiveQueue *queue) noexcept                          # memory is short: small chunks
