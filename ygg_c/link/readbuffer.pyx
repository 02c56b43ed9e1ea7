"""Where a link's transport is read to; see readbuffer.pxd."""

from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove

cdef enum:
    STASH_SIZE = 4096


cdef class ReadPool:
    """The read buffer that the links of one router share."""

    def __dealloc__(self):
        free(self._spare)


cdef bint buffer_open(ReadBuffer *buffer, ReadPool pool) noexcept:
    if buffer.bytes != NULL:
        return True
    buffer.bytes = <uint8_t *>(pool._spare if pool._spare != NULL else malloc(RX_BUFFER))
    pool._spare = NULL
    if buffer.bytes == NULL:
        return False
    buffer.size = RX_BUFFER
    if buffer.fill:
        memcpy(buffer.bytes, buffer.stash, buffer.fill)
    return True


cdef bint buffer_resize(ReadBuffer *buffer, size_t size) noexcept:
    cdef uint8_t *grown = <uint8_t *>realloc(buffer.bytes, size)
    if grown == NULL:
        return False
    buffer.bytes = grown
    buffer.size = size
    return True


cdef void buffer_keep(ReadBuffer *buffer, ReadPool pool, size_t start) noexcept:
    cdef size_t left = buffer.fill - start
    buffer.fill = left
    if 0 < left <= STASH_SIZE and buffer.stash == NULL:
        buffer.stash = <uint8_t *>malloc(STASH_SIZE)
    if left > STASH_SIZE or (left and buffer.stash == NULL):
        memmove(buffer.bytes, buffer.bytes + start, left)
        return
    if left:
        memcpy(buffer.stash, buffer.bytes + start, left)
    buffer_give_back(buffer, pool)


cdef void buffer_trim(ReadBuffer *buffer) noexcept:
    if buffer.bytes != NULL and 0 < buffer.fill < buffer.size // 4:
        buffer_resize(buffer, buffer.fill)


cdef void buffer_give_back(ReadBuffer *buffer, ReadPool pool) noexcept:
    if buffer.size == RX_BUFFER and pool._spare == NULL:
        pool._spare = buffer.bytes
    else:
        free(buffer.bytes)
    buffer.bytes = NULL


cdef void buffer_free(ReadBuffer *buffer) noexcept:
    free(buffer.bytes)
    free(buffer.stash)
    buffer.bytes = buffer.stash = NULL
