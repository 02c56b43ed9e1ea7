"""A hash map from fixed-width byte keys to Python objects, for look-ups from C."""

from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from ygg_c.base.mix cimport GOLDEN, MIXER

cdef extern from *:
    """
    static inline uint64_t ygg_fold(uint64_t a, uint64_t b) {
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    uint64_t ygg_fold(uint64_t a, uint64_t b) noexcept nogil

# A slot is: the value (NULL: free), the hash, the key padded to eight bytes. Linear probing, back-shift on removal.
cdef struct Slot:
    PyObject *value
    uint64_t code

cdef enum:
    FIRST_CAPACITY = 16


cdef inline bint _is_same(const uint8_t *a, const uint8_t *b, size_t width) noexcept nogil:
    cdef uint64_t left, right
    while width >= 8:
        memcpy(&left, a, 8)
        memcpy(&right, b, 8)
        if left != right:
            return False
        a += 8
        b += 8
        width -= 8
    return width == 0 or memcmp(a, b, width) == 0


cdef class ByteMap:
    """Maps byte strings of one width to objects."""

    def __cinit__(self, size_t width, uint64_t seed):
        if width == 0 or width > 64:
            raise ValueError("width must be 1 to 64 bytes")
        self.width = width
        self._stride = sizeof(Slot) + ((width + 7) & ~<size_t>7)
        self._mask = FIRST_CAPACITY - 1
        self._seed = seed
        self._slots = <uint8_t *>calloc(FIRST_CAPACITY, self._stride)
        if self._slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef size_t index
        if self._slots != NULL:
            for index in range(self._mask + 1):
                Py_XDECREF((<Slot *>(self._slots + index * self._stride)).value)
            free(self._slots)

    cdef uint64_t _hash(self, const uint8_t *key) noexcept:
        cdef uint64_t code = self._seed
        cdef uint64_t word
        cdef size_t left = self.width
        while left >= 8:
            memcpy(&word, key, 8)
            code = ygg_fold(word ^ GOLDEN, code ^ MIXER)
            key += 8
            left -= 8
        if left:
            word = 0
            memcpy(&word, key, left)
            code = ygg_fold(word ^ GOLDEN, code ^ MIXER)
        return code ^ (code >> 29)

    cdef uint8_t *_find(self, const uint8_t *key, uint64_t code) noexcept:
        # The slot that holds the key, or the free one where it would go.
        cdef size_t index = <size_t>code & self._mask
        cdef uint8_t *slot
        while True:
            slot = self._slots + index * self._stride
            if (<Slot *>slot).value == NULL:
                return slot
            if (<Slot *>slot).code == code and _is_same(slot + sizeof(Slot), key, self.width):
                return slot
            index = (index + 1) & self._mask

    cdef PyObject *get(self, const uint8_t *key) noexcept:
        # Packets come in batches: what is asked for is mostly what was asked for before.
        cdef uint8_t *slot = self._last
        if slot == NULL or not _is_same(slot + sizeof(Slot), key, self.width):
            slot = self._find(key, self._hash(key))
            if (<Slot *>slot).value == NULL:
                return NULL
            self._last = slot
        return (<Slot *>slot).value

    cdef int put(self, const uint8_t *key, object value) except -1:
        cdef uint64_t code = self._hash(key)
        cdef uint8_t *slot
        cdef PyObject *old
        if (self._used + 1) * 4 > (self._mask + 1) * 3:
            self._grow()
        slot = self._find(key, code)
        old = (<Slot *>slot).value
        if old == NULL:
            (<Slot *>slot).code = code
            memcpy(slot + sizeof(Slot), key, self.width)
            self._used += 1
        Py_INCREF(value)
        (<Slot *>slot).value = <PyObject *>value
        Py_XDECREF(old)
        return 0

    cdef bint discard(self, const uint8_t *key) noexcept:
        cdef uint8_t *slot = self._find(key, self._hash(key))
        cdef PyObject *old = (<Slot *>slot).value
        cdef size_t hole, index, home
        cdef uint8_t *other
        if old == NULL:
            return False
        self._last = NULL
        self._used -= 1
        hole = (slot - self._slots) // self._stride
        index = hole
        while True:
            index = (index + 1) & self._mask
            other = self._slots + index * self._stride
            if (<Slot *>other).value == NULL:
                break
            home = <size_t>(<Slot *>other).code & self._mask
            # Move it back unless its home lies cyclically after the hole.
            if ((index - home) & self._mask) >= ((index - hole) & self._mask):
                memcpy(self._slots + hole * self._stride, other, self._stride)
                hole = index
        memset(self._slots + hole * self._stride, 0, self._stride)
        Py_XDECREF(old)
        return True

    cdef PyObject *walk(self, size_t *place) noexcept:
        cdef PyObject *value = NULL
        while value == NULL and place[0] <= self._mask:
            value = (<Slot *>(self._slots + place[0] * self._stride)).value
            place[0] += 1
        return value

    cdef int _grow(self) except -1:
        cdef uint8_t *old = self._slots
        cdef size_t count = self._mask + 1
        cdef size_t index
        cdef uint8_t *slot
        cdef uint8_t *fresh = <uint8_t *>calloc(count * 2, self._stride)
        if fresh == NULL:
            raise MemoryError
        self._slots = fresh
        self._last = NULL
        self._mask = count * 2 - 1
        for index in range(count):
            slot = old + index * self._stride
            if (<Slot *>slot).value != NULL:
                memcpy(self._find(slot + sizeof(Slot), (<Slot *>slot).code), slot, self._stride)
        free(old)
        return 0

    def __len__(self):
        return self._used

    def __contains__(self, bytes key not None):
        return len(key) == self.width and self.get(key) != NULL

    def __getitem__(self, bytes key not None):
        cdef PyObject *value = self.get(key) if len(key) == self.width else NULL
        if value == NULL:
            raise KeyError(key)
        return <object>value

    def __setitem__(self, bytes key not None, value):
        if len(key) != self.width:
            raise ValueError(f"key must be {self.width} bytes, not {len(key)}")
        self.put(key, value)

    def __delitem__(self, bytes key not None):
        if len(key) != self.width or not self.discard(key):
            raise KeyError(key)

    def items(self):
        """Return the (key, value) pairs as a list, in no order."""
        cdef size_t index
        cdef uint8_t *slot
        result = []
        for index in range(self._mask + 1):
            slot = self._slots + index * self._stride
            if (<Slot *>slot).value != NULL:
                result.append(((slot + sizeof(Slot))[:self.width], <object>(<Slot *>slot).value))
        return result

    def values(self):
        """Return the values as a list, in no order."""
        return [value for _, value in self.items()]

    def clear(self):
        """Remove everything."""
        for key, _ in self.items():
            self.discard(<bytes>key)
