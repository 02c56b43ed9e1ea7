"""What a link brings before it is proven; see parked.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ygg_c.wire cimport frame_header_size, frame_put


cdef class Parked:
    """Announcements and the last filter of one link."""

    def __dealloc__(self):
        free(self.records)

    cdef bint put(self, int kind, const uint8_t *body, size_t size) noexcept:
        cdef size_t whole = frame_header_size(size) + size
        if self.size + whole > PARKED_MAX:
            return False
        if self.records == NULL:
            self.records = <uint8_t *>malloc(PARKED_MAX)
            if self.records == NULL:
                return False
        memcpy(frame_put(self.records + self.size, kind, size), body, size)
        self.size += whole
        return True
