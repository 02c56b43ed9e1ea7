"""A small set of keys; see keyset.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ygg_c.base.siphash cimport ygg_siphash

cdef enum:
    FIRST_CAPACITY = 16


cdef class KeySet:
    """Keys of 32 bytes. Linear probing, back-shift on removal."""

    def __cinit__(self, Random random not None):
        random.fill(<uint8_t *>self._secret, sizeof(self._secret))
        self._mask = FIRST_CAPACITY - 1
        self._codes = <uint64_t *>calloc(FIRST_CAPACITY, sizeof(uint64_t))
        if self._codes == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._codes)

    cdef uint64_t _code_of(self, const uint8_t *key) noexcept:
        cdef uint64_t code = ygg_siphash(key, 32, self._secret)
        return code if code else 1

    # Where it is, or the free place where it would go.
    cdef size_t _place(self, uint64_t code) noexcept:
        cdef size_t index = <size_t>code & self._mask
        while self._codes[index] and self._codes[index] != code:
            index = (index + 1) & self._mask
        return index

    cdef bint has(self, const uint8_t *key) noexcept:
        return self._codes[self._place(self._code_of(key))] != 0

    cdef int add(self, const uint8_t *key) except -1:
        cdef uint64_t code = self._code_of(key)
        cdef size_t index
        if (self.count + 1) * 4 > (self._mask + 1) * 3:
            self._grow()
        index = self._place(code)
        self.count += self._codes[index] == 0
        self._codes[index] = code
        return 0

    cdef void discard(self, const uint8_t *key) noexcept:
        cdef size_t hole = self._place(self._code_of(key))
        cdef size_t index = hole
        cdef size_t home
        if self._codes[hole] == 0:
            return
        self.count -= 1
        while True:
            index = (index + 1) & self._mask
            if self._codes[index] == 0:
                break
            home = <size_t>self._codes[index] & self._mask
            # Move it back unless its home lies cyclically after the hole.
            if ((index - home) & self._mask) >= ((index - hole) & self._mask):
                self._codes[hole] = self._codes[index]
                hole = index
        self._codes[hole] = 0

    cdef int _grow(self) except -1:
        cdef uint64_t *old = self._codes
        cdef size_t capacity = self._mask + 1
        cdef size_t index
        cdef uint64_t *fresh = <uint64_t *>calloc(2 * capacity, sizeof(uint64_t))
        if fresh == NULL:
            raise MemoryError
        self._codes = fresh
        self._mask = 2 * capacity - 1
        for index in range(capacity):
            if old[index]:
                self._codes[self._place(old[index])] = old[index]
        free(old)
        return 0

    cdef void clear(self) noexcept:
        cdef uint64_t *small = <uint64_t *>calloc(FIRST_CAPACITY, sizeof(uint64_t))
        self.count = 0
        if small == NULL:
            memset(self._codes, 0, (self._mask + 1) * sizeof(uint64_t))
            return
        free(self._codes)
        self._codes, self._mask = small, FIRST_CAPACITY - 1

    # For tests

    def __len__(self):
        return self.count

    def __contains__(self, bytes key not None):
        return self.has(_checked(key))

    def put(self, bytes key not None):
        """Add a key of 32 bytes."""
        self.add(_checked(key))

    def drop(self, bytes key not None):
        """Remove a key, if it is there."""
        self.discard(_checked(key))

    def empty(self):
        """Remove all keys."""
        self.clear()


cdef const uint8_t *_checked(bytes key) except NULL:
    if len(key) != 32:
        raise ValueError(f"a key has 32 bytes, not {len(key)}")
    return <const uint8_t *><const char *>key
