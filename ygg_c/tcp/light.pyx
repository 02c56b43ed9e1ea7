"""The table of connections that need little memory; see light.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp

from ygg_c.base.live cimport LIVE_LIGHT, born, died
from ygg_c.base.siphash cimport ygg_siphash

cdef enum:
    FEWEST = 64                 # buckets


cdef class LightTable:
    """Structs by the ends of their connections: a chain for each bucket, about as many buckets as structs."""

    def __cinit__(self, uint64_t first, uint64_t second):
        self._seed[0], self._seed[1] = first, second
        if not self._resize(FEWEST):
            raise MemoryError

    def __dealloc__(self):
        free(self._buckets)

    cdef Light **_bucket(self, const uint8_t *key) noexcept:
        return &self._buckets[ygg_siphash(key, 36, self._seed) & self._mask]

    cdef Light *find(self, const uint8_t *key) noexcept:
        cdef Light *light
        if self.used == 0:
            return NULL
        light = self._bucket(key)[0]
        while light != NULL and memcmp(light.key, key, 36):
            light = light.next
        return light

    cdef bint add(self, Light *light) noexcept:
        cdef Light **bucket
        if self.used > self._mask and not self._resize(2 * (self._mask + 1)):
            return False
        bucket = self._bucket(light.key)
        light.next = bucket[0]
        bucket[0] = light
        self.used += 1
        born(LIVE_LIGHT)
        return True

    cdef void remove(self, Light *light) noexcept:
        cdef Light **at = self._bucket(light.key)
        while at[0] != light:
            at = &at[0].next
        at[0] = light.next
        self.used -= 1
        died(LIVE_LIGHT)
        if self._mask >= FEWEST and self.used < self._mask // 8:
            self._resize((self._mask + 1) // 2)

    cdef bint _resize(self, size_t buckets) noexcept:
        cdef Light **old = self._buckets
        cdef size_t index, count = self._mask + 1 if old != NULL else 0
        cdef Light *light
        cdef Light *after
        cdef Light **bucket
        cdef Light **fresh = <Light **>calloc(buckets, sizeof(Light *))
        if fresh == NULL:
            return False
        self._buckets = fresh
        self._mask = buckets - 1
        for index in range(count):
            light = old[index]
            while light != NULL:
                after = light.next
                bucket = self._bucket(light.key)
                light.next = bucket[0]
                bucket[0] = light
                light = after
        free(old)
        return True
