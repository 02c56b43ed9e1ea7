# A rate of work that strangers may cause, shared out fairly: by where it comes in, and there by who asks. See budget.pyx.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    ORIGINS = 256
    SOURCES = 1024

cdef class Budget:
    cdef double _burst              # tokens
    cdef double _decay              # 1 / ns: what was used is forgotten at this rate
    cdef double _used               # in all; this and the next two are scaled, see _scale()
    cdef double _by_origin[256]
    cdef double _by_source[1024]
    cdef uint64_t _reference        # ns: when the scale was 1
    cdef uint64_t _salt
    cdef readonly uint64_t refused

    # Whether `cost` tokens may be used now. `origin`: the number of the neighbour, or any other number that stands for a place
    # where requests come in. `source`: 32 bytes that name who asks, or NULL. `known`: who asks has a claim that strangers do
    # not have (a session, a proven link), and finds room when they have used up theirs.
    cdef bint take(self, uint64_t origin, const uint8_t *source, bint known, double cost, uint64_t now) noexcept
    # Of what was taken so much was not used after all.
    cdef void give_back(self, uint64_t origin, const uint8_t *source, double cost, uint64_t now) noexcept
    # How many ns until `origin` may use `cost` tokens, if nothing else is used meanwhile; 0 when it may now.
    cdef uint64_t wait(self, uint64_t origin, bint known, double cost, uint64_t now) noexcept
    cdef double _scale(self, uint64_t now) noexcept
    cdef double _share(self, double scale) noexcept
