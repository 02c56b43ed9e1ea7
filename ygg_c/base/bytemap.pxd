# A hash map from fixed-width byte keys (addresses, public keys, 4-tuples) to Python objects, looked up from C without
# building a key object. Seeded, so that a stranger who picks keys cannot pick collisions; of the same seed, so that
# what is done for each entry in turn is done in the same order in every run of a simulation.

from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t, uint64_t

cdef class ByteMap:
    cdef readonly size_t width
    cdef size_t _used
    cdef size_t _mask
    cdef size_t _stride
    cdef uint64_t _seed
    cdef uint8_t *_slots
    cdef uint8_t *_last                 # the slot that was found last; NULL: it may be another's now

    cdef PyObject *get(self, const uint8_t *key) noexcept       # borrowed, NULL when absent
    cdef int put(self, const uint8_t *key, object value) except -1
    cdef bint discard(self, const uint8_t *key) noexcept        # True when it was there
    # The next value at or after a place, which starts at 0 and is moved behind it; NULL at the end. Borrowed; the map
    # must not change between the calls.
    cdef PyObject *walk(self, size_t *place) noexcept
    cdef uint64_t _hash(self, const uint8_t *key) noexcept
    cdef uint8_t *_find(self, const uint8_t *key, uint64_t code) noexcept
    cdef int _grow(self) except -1
