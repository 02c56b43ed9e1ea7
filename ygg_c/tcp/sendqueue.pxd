# What the application wrote and the peer has not acknowledged: a ring of chunks, each a piece of a bytes object held by
# reference or of one the queue fills itself with small writes. Positions are 64-bit stream positions.

from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    COALESCE = 2048         # smaller pieces are copied together
    OWN_CHUNK = 16384

cdef struct Piece:
    PyObject *owner
    const uint8_t *data
    size_t size

cdef class SendQueue:
    cdef Piece *_pieces     # a ring; its room is a power of two
    cdef size_t _mask
    cdef size_t _first
    cdef size_t _count
    cdef uint64_t base      # position of the first byte held
    cdef uint64_t end       # one past the last
    cdef uint64_t _origin   # position where the first piece starts (at most `base`)
    cdef size_t held        # bytes of memory in pieces: a part of a bytes object keeps all of it
    cdef size_t _tail_room  # bytes left in the last piece, when it is our own
    cdef size_t _near       # a place in the ring, counted from the first, near the last copy
    cdef uint64_t _near_at  # the position where that piece starts
    cdef int append(self, object data, const uint8_t *bytes, size_t size, bint keep) except -1
    # Queue at most `limit` bytes of an object that shows them, and return how many. A bytes object is kept by reference.
    cdef Py_ssize_t write(self, object data, size_t limit) except -1
    cdef void release(self, uint64_t below) noexcept
    # Copy `size` bytes from `position` (all held) and return their sum added to `total`.
    cdef uint64_t copy(self, uint8_t *target, uint64_t position, size_t size, uint64_t total) noexcept
    cdef void clear(self) noexcept
    cdef int _push(self, PyObject *owner, const uint8_t *data, size_t size) except -1
