"""What waits beside a link; see deferred.pxd."""

from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from ygg_c.base.clock cimport NEVER
from ygg_c.link.wire cimport frame_header_size, frame_put, uv_get

cdef enum:
    ROOM_LEAST = 4096


cdef class Parked:
    """Messages of one link, kept until it is proven or they may be verified, and its last filter before the proof."""

    def __cinit__(self):
        self.until = NEVER

    def __dealloc__(self):
        free(self._frames)

    cdef bint put(self, int kind, const uint8_t *body, size_t size, size_t most) noexcept:
        cdef size_t whole = frame_header_size(size) + size
        cdef size_t waiting = self._end - self._begin
        cdef size_t room = max(<size_t>ROOM_LEAST, self._room)
        cdef uint8_t *frames
        if waiting + whole > most:
            return False
        while room < waiting + whole:
            room *= 2
        if room > self._room:
            frames = <uint8_t *>realloc(self._frames, room)
            if frames == NULL:
                return False
            self._frames = frames
            self._room = room
        if self._end + whole > self._room:
            memmove(self._frames, self._frames + self._begin, waiting)
            self._begin = 0
            self._end = waiting
        memcpy(frame_put(self._frames + self._end, kind, size), body, size)
        self._end += whole
        return True

    cdef const uint8_t *first(self, size_t *size) noexcept:
        cdef uint64_t length
        cdef const uint8_t *at
        if self._begin == self._end:
            return NULL
        at = uv_get(self._frames + self._begin, self._frames + self._end, &length)
        size[0] = length
        return at

    cdef void drop(self) noexcept:
        cdef size_t size
        self._begin = self.first(&size) + size - self._frames
        if self._begin == self._end:
            self.clear()

    cdef void clear(self) noexcept:
        free(self._frames)
        self._frames = NULL
        self._room = self._begin = self._end = 0
        self.filter = None
