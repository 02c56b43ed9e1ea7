# A set of keys of 32 bytes, in eight bytes each: what is kept is a keyed hash, which strangers cannot aim at. One key
# is taken for another by chance once in 2**64 times the number held.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.sodium cimport Random

cdef class KeySet:
    cdef size_t count
    cdef size_t _mask
    cdef uint64_t[2] _secret
    cdef uint64_t *_codes               # 0: free
    cdef bint has(self, const uint8_t *key) noexcept
    cdef int add(self, const uint8_t *key) except -1
    cdef void discard(self, const uint8_t *key) noexcept
    cdef void clear(self) noexcept
    cdef uint64_t _code_of(self, const uint8_t *key) noexcept
    cdef size_t _place(self, uint64_t code) noexcept
    cdef int _grow(self) except -1
