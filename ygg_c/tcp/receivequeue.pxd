# What arrived and was not read: a chain of bytes objects under construction that covers the window as far as anything
# arrived. Data goes in at its place, in order or not; the ranges beyond `next` are the SACK information. A chunk is
# handed to the application itself when nothing else will be written to it.

from libc.stdint cimport uint8_t, uint64_t

from cpython.ref cimport PyObject

from ygg_c.ranges cimport Ranges

cdef enum:
    CHUNK_SMALL = 16384
    CHUNK_LARGE = 65536     # below malloc's mmap threshold: fresh pages for each chunk cost more than the calls saved
    COPY_BELOW = 4096       # less than this is copied out of its chunk

cdef struct Chunk:
    PyObject *bytes
    uint64_t base           # position of its first byte; the chunks follow one another without gaps
    size_t size

cdef class ReceiveQueue:
    cdef Chunk *_chunks     # a ring; its room is a power of two
    cdef size_t _mask
    cdef size_t _first
    cdef size_t _count
    cdef size_t _grain      # size of the next chunk
    cdef uint64_t read      # position of the next byte to read
    cdef uint64_t next      # position of the first byte missing
    cdef Ranges ranges      # what arrived beyond it
    cdef size_t held        # bytes of memory in chunks
    # Put bytes at `position` (at least `next`); False when there is no room for them or for another hole.
    cdef bint insert(self, uint64_t position, const uint8_t *data, size_t size) noexcept
    cdef object take(self, size_t limit)
    cdef size_t copy(self, uint8_t *target, size_t size) noexcept
    cdef Py_ssize_t read_into(self, object buffer) except -1    # fill what is writable, and return how many bytes
    cdef void clear(self) noexcept                      # drop everything, read or not
    cdef uint64_t covered(self) noexcept                # the position where the chunks end
    cdef size_t growth(self, uint64_t end) noexcept     # bytes that it takes to have them reach `end`
    cdef void spare(self) noexcept                      # memory is short: small chunks
    cdef bint _cover(self, uint64_t end) noexcept
    cdef void _drop_first(self) noexcept
    cdef void _pass_first(self) noexcept
    cdef void _tidy(self) noexcept
