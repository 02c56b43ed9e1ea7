# Messages of one link that wait beside it, in the order in which they came, while what else it brings goes on: at first
# until its far side has proved that it holds its key, then until their signatures may be verified.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    PARKED_MAX = 32768          # bytes of frames that wait for the proof: some 150 records, deeper than any real tree
    WAITING_MAX = 262144        # that wait to be verified: the deepest ancestry there may be
    WAITING_ALL = 8388608       # what links with more than PARKED_MAX divide between them

cdef class Parked:
    cdef uint8_t *_frames
    cdef size_t _room
    cdef size_t _begin          # of the first that waits, and the end of the last
    cdef size_t _end
    cdef uint64_t until         # ns: none is to be looked at before; NEVER: until something else happens
    cdef bytes filter           # body of the last one before the proof; None
    # Keep one message, with at most `most` bytes of frames; False when there is no room.
    cdef bint put(self, int kind, const uint8_t *body, size_t size, size_t most) noexcept
    cdef const uint8_t *first(self, size_t *size) noexcept      # its kind, then its body; NULL: none waits
    cdef void drop(self) noexcept                               # the first
    cdef void clear(self) noexcept
