# What the application wrote and the peer has not acknowledged: a ring of chunks, each a piece of a bytes object held by
# reference or of one the queue fills itself with small writes. Positions are 64-bit stream positions.

from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    COALESCE = 2048         # smaller pieces are copied together
    OWN_CHUNK = 16384

cdef struct Piece:
    PyObject *owner
    const uint8_t *data
    size_t size

# Its ring stays when nothing is in it any more, until `queue_rest`.
cdef struct SendQueue:
    Piece *pieces           # a ring; its room is a power of two
    uint64_t base           # position of the first byte held
    uint64_t end            # one past the last
    uint64_t origin         # position where the first piece starts (at most `base`)
    uint64_t near_at        # position where the piece starts that was copied from last
    size_t tail_room        # bytes left in the last piece, when it is our own
    size_t held             # bytes of memory in pieces: a part of a bytes object keeps all of it
    uint32_t mask
    uint32_t first
    uint32_t count
    uint32_t near           # that piece's place, counted from the first

cdef inline void queue_start(SendQueue *queue, uint64_t position) noexcept:
    queue.base = queue.end = queue.origin = queue.near_at = position

# Queue at most `limit` bytes of an object that shows them, and return how many. A bytes object is kept by reference.
cdef Py_ssize_t queue_write(SendQueue *queue, object data, size_t limit) except -1
cdef void queue_release(SendQueue *queue, uint64_t below) noexcept
# Copy `size` bytes from `position` (all held) and return their sum added to `total`.
cdef uint64_t queue_copy(SendQueue *queue, uint8_t *target, uint64_t position, size_t size, uint64_t total) noexcept
cdef void queue_rest(SendQueue *queue) noexcept            # free what an empty one keeps
cdef void queue_clear(SendQueue *queue) noexcept
