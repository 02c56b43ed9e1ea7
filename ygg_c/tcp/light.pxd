# Connections at their beginning and at their end: they need little memory and come in great numbers, so they are
# structs and not objects. One hash table finds them by their ends; lines keep them in the order in which they are due.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    LIGHT_COST = 48             # bytes of memory besides the struct: its bucket, its node's slot, the allocator's

cdef enum:                      # of a Light
    HALF_OPEN = 0
    TIME_WAITING

# The head of every such struct.
cdef struct Light:
    Light *next             # in its bucket
    Light *older            # in its line
    Light *newer
    uint64_t due            # ns
    uint8_t key[36]         # as in a connection
    uint8_t kind

# Those that wait for equally long: the oldest is due first.
cdef struct Line:
    Light *oldest
    Light *newest

cdef inline void line_remove(Line *line, Light *light) noexcept nogil:
    if light.older != NULL:
        light.older.newer = light.newer
    else:
        line.oldest = light.newer
    if light.newer != NULL:
        light.newer.older = light.older
    else:
        line.newest = light.older

cdef inline void line_add(Line *line, Light *light, uint64_t due) noexcept nogil:
    light.due = due
    light.newer = NULL
    light.older = line.newest
    if line.newest != NULL:
        line.newest.newer = light
    else:
        line.oldest = light
    line.newest = light

cdef class LightTable:
    cdef Light **_buckets
    cdef size_t _mask
    cdef size_t used
    cdef uint64_t _seed[2]
    cdef Light *find(self, const uint8_t *key) noexcept
    cdef bint add(self, Light *light) noexcept          # its key is in no use; False: no memory
    cdef void remove(self, Light *light) noexcept
    cdef Light **_bucket(self, const uint8_t *key) noexcept
    cdef bint _resize(self, size_t buckets) noexcept
